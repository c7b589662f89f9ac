#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A TCP relay on loopback behind which a server looks far away.

Connections are accepted at once. Each of the first FLIGHTS client flights (what
a client sends until the server speaks again) is held back for its share of
MS milliseconds; all else passes at once. With one flight, the first, which is
TLS's ClientHello, a handshake of TCP and TLS takes MS milliseconds more.

usage: slow-proxy.py --to PORT --handshake-ms MS [--flights FLIGHTS]
"""
import argparse
import asyncio
import json
import signal
import sys

CHUNK_BYTES = 65536
LIFETIME_S = 900  # a relay that was forgotten ends by itself


class Connection:
    def __init__(self, pause_s, flights):
        self.pause_s = pause_s
        self.flights = flights  # still to be held back
        self.is_clients_turn = True

    async def hold_back(self):
        if self.is_clients_turn and self.flights > 0:
            self.flights -= 1
            await asyncio.sleep(self.pause_s)
        self.is_clients_turn = False

    async def to_server(self, client, server):
        while data := await client.read(CHUNK_BYTES):
            await self.hold_back()
            server.write(data)
            await server.drain()
        server.write_eof()

    async def to_client(self, server, client):
        while data := await server.read(CHUNK_BYTES):
            self.is_clients_turn = True
            client.write(data)
            await client.drain()
        client.write_eof()


async def relay(options, client_reader, client_writer):
    connection = Connection(options.handshake_ms / 1000 / options.flights, options.flights)
    server_writer = None
    try:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", options.to)
        await asyncio.gather(
            connection.to_server(client_reader, server_writer),
            connection.to_client(server_reader, client_writer),
        )
    except OSError:
        pass  # one end had enough
    finally:
        client_writer.close()
        if server_writer:
            server_writer.close()


async def serve(options):
    server = await asyncio.start_server(lambda *ends: relay(options, *ends), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(json.dumps({"ready": True, "port": port}), flush=True)
    await server.serve_forever()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--to", type=int, required=True, help="the server's port")
    parser.add_argument("--handshake-ms", type=int, required=True)
    parser.add_argument("--flights", type=int, default=1)
    options = parser.parse_args()
    signal.alarm(LIFETIME_S)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    asyncio.run(serve(options))


if __name__ == "__main__":
    main()

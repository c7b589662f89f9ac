#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""usage: check-kubernetes.py MANIFEST

What can be said of contrib/kubernetes without a cluster: it is YAML, its fields
are those of the API (a misspelt one is ignored there), its references lead
somewhere, and both containers are closed. Prints the configuration of the agent.
"""
import re
import sys

import yaml

FIELDS = {
    "job": "backoffLimit template",
    "pod": "restartPolicy automountServiceAccountToken terminationGracePeriodSeconds "
           "securityContext initContainers containers volumes",
    "pod securityContext": "runAsNonRoot fsGroup seccompProfile",
    "container": "name restartPolicy image command args env startupProbe securityContext "
                 "resources volumeMounts",
    "securityContext": "runAsUser runAsGroup allowPrivilegeEscalation "
                       "readOnlyRootFilesystem capabilities",
    "probe": "exec periodSeconds timeoutSeconds failureThreshold",
    "mount": "name mountPath subPath readOnly",
    "volume": "name emptyDir configMap secret",
    "emptyDir": "medium sizeLimit",
}
QUANTITY = re.compile(r"[1-9][0-9]*(m|[KMG]i)?")


def demand(condition, text):
    if not condition:
        sys.exit(f"check-kubernetes: {text}")


def fields(kind, value):
    unknown = set(value) - set(FIELDS[kind].split())
    demand(not unknown, f"{kind} has {unknown}")


def check_container(container, volumes):
    name = container["name"]
    fields("container", container)
    closed = container["securityContext"]
    fields("securityContext", closed)
    demand(closed["runAsUser"] > 0, f"{name} is root")
    demand(closed["allowPrivilegeEscalation"] is False, f"{name} may gain privileges")
    demand(closed["readOnlyRootFilesystem"] is True, f"{name} writes to its root")
    demand(closed["capabilities"] == {"drop": ["ALL"]}, f"{name} has capabilities")
    for mount in container["volumeMounts"]:
        fields("mount", mount)
        demand(mount["name"] in volumes, f"{name} mounts {mount['name']}")
        demand(mount["mountPath"].startswith("/"), f"{name}: {mount['mountPath']}")
    for amounts in container.get("resources", {}).values():
        for amount in amounts.values():
            demand(QUANTITY.fullmatch(amount), f"{name}: {amount} is no quantity")
    return {e["name"]: e["value"] for e in container["env"]}


def mounts(container):
    return {m["name"]: m for m in container["volumeMounts"]}


def check_pair(agent, job, volumes):
    theirs, ours = (check_container(c, volumes) for c in (job, agent))
    socket = ours["P11OAUTH_SOCKET"]
    demand(theirs["P11OAUTH_SOCKET"] == socket, "two sockets")
    demand(set(mounts(agent)) & set(mounts(job)) == {"socket"}, "they share more than the socket")
    for container in agent, job:
        demand(socket.startswith(mounts(container)["socket"]["mountPath"] + "/"),
               f"{container['name']} has the socket elsewhere")
    demand(mounts(job)["socket"]["readOnly"] is True, "the job writes beside the socket")
    demand(volumes["socket"]["emptyDir"]["medium"] == "Memory", "the socket is on a disk")
    pin = mounts(agent)["pin"]
    demand(pin["mountPath"] == f"{ours['CREDENTIALS_DIRECTORY']}/{pin['subPath']}",
           "the PIN is not among the credentials")
    demand(mounts(agent)["state"]["mountPath"] == ours["STATE_DIRECTORY"], "no place for the state")
    demand(agent["restartPolicy"] == "Always", "the agent is no sidecar")
    fields("probe", agent["startupProbe"])
    return pin["subPath"]


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        documents = list(yaml.safe_load_all(f))
    demand([d["kind"] for d in documents] == ["ConfigMap", "Job"], "other documents")
    config, job = documents
    demand((config["apiVersion"], job["apiVersion"]) == ("v1", "batch/v1"), "API")
    fields("job", job["spec"])
    pod = job["spec"]["template"]["spec"]
    fields("pod", pod)
    fields("pod securityContext", pod["securityContext"])
    demand(pod["securityContext"]["runAsNonRoot"] is True, "root may run")
    demand(pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, "no seccomp")
    volumes = {v["name"]: v for v in pod["volumes"]}
    for volume in pod["volumes"]:
        fields("volume", volume)
        fields("emptyDir", volume.get("emptyDir", {}))
    demand(volumes["config"]["configMap"]["name"] == config["metadata"]["name"], "no such ConfigMap")
    agent, worker = pod["initContainers"][0], pod["containers"][0]
    pin = check_pair(agent, worker, volumes)
    used = set(mounts(agent)) | set(mounts(worker))
    demand(used == set(volumes), f"volumes of no use: {set(volumes) - used}")

    text = config["data"]["p11oauth.conf"]
    demand(f'pin-from  = "cred:{pin}"' in text, "another PIN")
    demand(f'allow-uid = {{ "{worker["securityContext"]["runAsUser"]}" }}' in text, "another job")
    demand(f'socket-group = "{pod["securityContext"]["fsGroup"]}"' in text, "another group")
    print(text, end="")


main()

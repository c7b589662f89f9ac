#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Do the validators of vendor_rules.py bite? Speaks TAP."""
import sys

import vendor_rows
import vendor_rules
from vendor_case import Case


def judge(vendor, change, times=1):
    case = Case(vendor)
    change(case)
    return case.send(times)


def algs_of(vendor):
    """What is wrong with the set of algorithms."""
    for alg in vendor_rows.EVERY_ALG:
        reason = judge(vendor, lambda case, alg=alg: case.use(alg))
        taken = alg in vendor_rows.ALGS[vendor].split()
        if (reason is None) != taken or not (taken or reason.startswith("alg:")):
            yield f"{alg}: {reason}"


def wrong_rows(vendor, rows):
    for name, change, wanted in rows:
        reason = judge(vendor, change)
        right = reason is None if wanted is None else (reason or "").startswith(wanted)
        if not right:
            yield f"{name}: wanted {wanted}, got {reason}"


def results():
    """(what is wrong, name of the test): most faults are common, and one test for a vendor."""
    for vendor in vendor_rules.VENDORS:
        yield wrong_rows(vendor, [("unchanged", lambda c: None, None)]), f"{vendor}: the good request"
        yield algs_of(vendor), f"{vendor}: {vendor_rows.ALGS[vendor]}, no other alg"
        replay = judge(vendor, lambda c: None, times=2)
        yield [replay] if replay != "jti: used before" else [], f"{vendor}: the same twice"
        rows = vendor_rows.COMMON + [row[:3] for row in vendor_rows.SOME if vendor not in row[3].split()]
        yield wrong_rows(vendor, rows), f"{vendor}: {len(rows)} common faults"
        for row in vendor_rows.ROWS[vendor]:
            yield wrong_rows(vendor, [row]), f"{vendor}: {row[0]}"


def main():
    failed = number = 0
    known = set(vendor_rules.VENDORS)
    strangers = (known ^ set(vendor_rows.ALGS)) | (known ^ set(vendor_rows.ROWS))
    for wrong, name in [(strangers, "every vendor has its rows"), *results()]:
        number += 1
        wrong = list(wrong)
        failed += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {number} - {name}")
        for why in wrong:
            print(f"# {why}")
    print(f"1..{number}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

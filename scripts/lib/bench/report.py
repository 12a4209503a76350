# SPDX-License-Identifier: Apache-2.0
"""The common form, as `sluice --json` writes it: whole or not at all."""

import json
import os


def _labels(contestant, sample):
    commands = sample.measured.commands
    labels = {"contestant": contestant.name, "cipher": contestant.cipher, **sample.work.labels,
              "command": commands[-1]}
    if len(commands) > 1:
        labels["server_command"] = commands[0]
    return labels


def _sample_results(contestants, samples):
    for sample in samples.rows:
        labels = {**_labels(contestants[sample.contestant], sample), "round": str(sample.turn),
                  "probe_ns": "/".join(f"{probe:.0f}" for probe in sample.probes),
                  "state": "near" if sample.near else "far",
                  "valid": "yes" if sample.valid else "no"}
        for metric, value, unit, own in sample.measured.results:
            yield {"metric": metric, "value": value, "unit": unit, "labels": {**own, **labels}}


def _median_results(contestants, samples):
    seen = set()
    for sample in samples.rows:
        for metric, _, unit, own in sample.measured.results:
            key = (sample.contestant, sample.work, metric, tuple(sorted(own.items())))
            if key in seen:
                continue
            seen.add(key)
            median = samples.median(sample.contestant, sample.work, metric, own)
            yield {"metric": metric, "value": median.value, "unit": unit, "labels": {
                **own, **_labels(contestants[sample.contestant], sample), "statistic": "median",
                "samples": str(median.count), "state": "near" if median.near else "far",
                "valid": "yes" if median.valid else "no"}}


def common_form(settings, about, busy, contestants, samples):
    """One object. `statistic` tells the medians from the samples that they were made of."""
    version, machine = about
    by_name = {contestant.name: contestant for contestant in contestants}
    results = [{"metric": "machine.busy_share", "value": busy, "unit": "share",
                "labels": {"allowed": "yes" if settings.busy_ok else "no"}}]
    results += [{"metric": "contestant.absent", "value": 1, "unit": "bool",
                 "labels": {"contestant": name, "reason": reason}}
                for name, reason in samples.absent.items()]
    results += [{"metric": "contestant.restarts", "value": count, "unit": "samples",
                 "labels": {"contestant": name}} for name, count in samples.restarts.items()]
    results += _sample_results(by_name, samples)
    results += _median_results(by_name, samples)
    return {"command": settings.command, "version": version, "machine": machine,
            "results": results}


def write(path, text):
    """Beside the target first, so that whoever looks sees all of it or what was there before."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_json(path, form):
    write(path, json.dumps(form, indent=2) + "\n")

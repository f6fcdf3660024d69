#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes ood_metrics.json: random ID and OOD scores, with and without ties, and what scikit-learn makes of
them; random logits and labels, and their calibration error by NumPy.

Run with Debian's python3 (scikit-learn 1.2.1):  /usr/bin/python3 ood_metrics.py > ood_metrics.json
"""

import json

import numpy as np
from sklearn import metrics


def trapezoid(labels, scores):
    precision, recall, _ = metrics.precision_recall_curve(labels, scores)
    return metrics.auc(recall, precision)


def first_fpr(labels, scores, recall):
    fpr, tpr, _ = metrics.roc_curve(labels, scores, drop_intermediate=False)
    return fpr[np.argmax(tpr >= recall)]


def vim_fpr(ind, ood, recall):
    threshold = np.sort(ind)[-int(np.floor(recall * len(ind)))]
    return np.mean(ood >= threshold)


def dice_fpr(ind, ood, recall):
    return np.mean(ood > np.sort(ind)[round((1 - recall) * len(ind))])


def dice_area(ind, ood):
    """Trapezoid over all distinct thresholds, closed at (recall 0, precision 0)."""
    thresholds = np.unique(np.concatenate([ind, ood]))[::-1]
    tp = np.array([np.sum(ind >= t) for t in thresholds], float)
    fp = np.array([np.sum(ood >= t) for t in thresholds], float)
    return np.trapz(np.r_[0.0, tp / (tp + fp)], np.r_[0.0, tp / len(ind)])


def case(rng, n_id, n_ood, levels):
    ind = rng.normal(1.0, 1.0, n_id)
    ood = rng.normal(0.0, 1.3, n_ood)
    if levels:
        ind, ood = np.round(ind * levels) / levels, np.round(ood * levels) / levels
    ind, ood = ind.astype(np.float32), ood.astype(np.float32)
    labels = np.r_[np.ones(n_id), np.zeros(n_ood)]
    scores = np.r_[ind, ood].astype(np.float64)
    return {
        "id": [float(x) for x in ind],
        "ood": [float(x) for x in ood],
        "auroc": metrics.roc_auc_score(labels, scores),
        "ap_in": metrics.average_precision_score(labels, scores),
        "ap_out": metrics.average_precision_score(1 - labels, -scores),
        "trapezoid_in": trapezoid(labels, scores),
        "trapezoid_out": trapezoid(1 - labels, -scores),
        "dice_in": dice_area(ind, ood),
        "dice_out": dice_area(-ood, -ind),
        "fpr": {
            "sk-roc": first_fpr(labels, scores, 0.95),
            "openood": first_fpr(1 - labels, -scores, 0.95),
            "pytorch-ood": first_fpr(1 - labels, -scores, 0.95),
            "vim": vim_fpr(ind, ood, 0.95),
            "dice": dice_fpr(ind, ood, 0.95),
        },
        "first_fpr_at": [
            [recall, first_fpr(labels, scores, recall), first_fpr(1 - labels, -scores, recall)]
            for recall in (0.3, 0.5, 0.8, 0.9, 0.99, 1.0)
        ],
    }


def calibration_case(rng, n, classes, sharpness):
    """Guo et al. 2017, equation 3, as their code has it: bins (low, high]."""
    logits = rng.normal(0, sharpness, (n, classes)).astype(np.float32)
    labels = np.where(rng.random(n) < 0.6, logits.argmax(1), rng.integers(0, classes, n))
    z = logits.astype(np.float64)
    p = np.exp(z - z.max(1, keepdims=True))
    confidence, right = (p / p.sum(1, keepdims=True)).max(1), logits.argmax(1) == labels
    edges, error = np.linspace(0, 1, 16), 0.0
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return {
        "classes": classes,
        "logits": [float(x) for x in logits.ravel()],
        "labels": [int(x) for x in labels],
        "ece": error,
    }


def main():
    rng = np.random.default_rng(5)
    sizes = [(1 + 1, 1), (3, 50), (20, 20), (37, 5), (100, 31), (150, 200)]
    cases = [case(rng, n_id, n_ood, levels) for n_id, n_ood in sizes for levels in (0, 8, 2, 1)]
    calibration = [
        calibration_case(rng, n, classes, sharpness)
        for n, classes, sharpness in ((1, 3, 1.0), (40, 2, 0.5), (200, 5, 1.5), (150, 10, 4.0))
    ]
    print(json.dumps({"made by": "tests/golden/ood_metrics.py", "cases": cases, "calibration": calibration}))


main()

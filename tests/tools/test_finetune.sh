#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# finetune: what it leaves, the same bytes again, every option once, what bad input of each kind is answered
# with.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

steps=4
tune() { # CODE PATTERN OUT OPTION...
    tune_code=$1 tune_pattern=$2 tune_out=$3
    shift 3
    expect "$tune_code" "$tune_pattern" finetune --weights "$weights" --id synthetic --limit 200 --batch 8 \
        --steps $steps --save-every 2 --out "$tune_out" "$@"
}
tune 0 'Energy +before' a --eval-ood letters=synthetic:letters --eval-ood noise=synthetic:noise \
    --eval-limit 50
for file in model.safetensors run.json metrics.jsonl checkpoint.safetensors report.html results.json \
    results.csv scores/before/energy/noise.npy scores/after/msp/id.npy; do
    check "finetune leaves $file" [ -s a/$file ]
done
check "both models in results.json" has a/results.json '"after"'
tune 0 . b --threads 1 --dump-gradients gradients.safetensors
check "the same bytes again, at any number of threads" same a/model.safetensors b/model.safetensors
expect 0 'root.conv.weight' inspect gradients.safetensors
tune 2 'in use.*--overwrite' a
tune 0 . a --overwrite
check "--overwrite removes old results" [ ! -e a/results.json ]
expect 2 'lies in --out a' finetune --weights a/model.safetensors --id synthetic --limit 50 --steps 1 \
    --out a --overwrite
check "and removes no file that it is to read" [ -s a/model.safetensors ]
printf '[finetune]\nseed = 7\n' >seed.ini
tune 0 . c --config seed.ini
check "another seed, another model" [ "$(cmp a/model.safetensors c/model.safetensors | wc -l)" -eq 1 ]

# ---- the test split of a part of the training images ----
expect 0 'Energy +before' finetune --weights "$weights" --id 'synthetic#train[0:100]' --batch 8 --steps 1 \
    --out part --eval-ood noise=synthetic:noise --eval-limit 20 --score energy
check "is evaluated on" has part/run.json '"spec": "synthetic#test"'
expect 2 'has no test split' finetune --weights "$weights" --id 'synthetic#test[0:100]' --batch 8 --steps 1 \
    --out x --eval-ood noise=synthetic:noise

# ---- bad input ----
tune 2 '--rho: -1 is out of range' x --rho -1
tune 2 '--steps: 0 is out of range' x --steps 0
tune 2 '--batch: 0 is out of range' x --batch 0
tune 2 '--jigsaw-sizes: 0 is out of range' x --jigsaw-sizes 0
tune 2 'none of the sizes' x --jigsaw-sizes 31
tune 2 '--pseudo-mode: no "jigsow"; did you mean "jigsaw"' x --pseudo-mode jigsow
tune 2 'write NAME=SPEC' x --eval-ood synthetic:noise
tune 2 'no such set|unknown' x --eval-ood n=synthetic:nothing
tune 2 'energ' x --eval-ood n=synthetic:noise --score energi
tune 2 'id' x --eval-ood id=synthetic:noise
tune 3 'no_such_device' x --device no_such_device
tune 5 'memory|fit' x --memory 1M
tune 6 '.' /proc/x
: >file
tune 6 '.' file/x
check "no folder is left by a run that did not start" [ ! -e x ]
steps=2
for option in "--pseudo-mode compose" "--pseudo-mode none --lambda 0" "--pseudo-mode half" \
    "--pseudo-mode both" \
    "--pseudo-mode random --pseudo-source other" "--pseudo-mode rgb --rgb-identity forbid" \
    "--jigsaw-unit grid --jigsaw-draw image --jigsaw-rest zero --jigsaw-sizes 3" "--ood-per-id 2" \
    "--pseudo-ood synthetic:stripes" "--ood-distance js" \
    "--ood-distance energy --energy-in -10 --energy-out -2" \
    "--norm-scope weight-only --wd-norm no" "--train-params norm" "--train-params last-block" \
    "--sam-first id" "--optimizer sam" "--optimizer adamw --lr 1e-4" "--schedule cosine --warmup 1" \
    "--train-aug flip --no-shuffle" "--nesterov --momentum 0.5"; do
    # shellcheck disable=SC2086 # words
    tune 0 . "option" --overwrite $option
done

finish

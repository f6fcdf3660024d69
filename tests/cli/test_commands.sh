#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The road once, small, on the CPU: train, finetune, stop and resume, eval, predict, report, inspect, bench; what each
# leaves behind; and what bad input of each kind is answered with.
# shellcheck source=tests/cli/lib.sh
. "$(dirname "$0")/lib.sh"
SFT_VK_DEVICE=cpu
export SFT_VK_DEVICE

weights=base/model.safetensors
same() { cmp -s "$1" "$2"; }
has() { grep -q "$2" "$1"; }

# ---- train ----
expect 0 'accuracy on synthetic#test' train --model resnetv2_20_gn --id synthetic --limit 200 --batch 20 --steps 3 \
    --eval-id 'synthetic#test[0:100]' --out base
for file in model.safetensors run.json metrics.jsonl report.html; do
    check "train leaves $file" [ -s base/$file ]
done
check "a line a step" [ "$(wc -l <base/metrics.jsonl)" -eq 3 ]
check "run.json tells how it ended" has base/run.json '"status": "ok"'
expect 0 . train --weights $weights --id synthetic --limit 40 --batch 20 --steps 1 --lr 0 --weight-decay 0 \
    --eval-id 'synthetic#test[0:100]' --out further
check "train goes on from given weights" same $weights further/model.safetensors
expect 2 '--model NAME or --weights FILE' train --id synthetic --out x
expect 2 'needs --id' train --model resnetv2_20_gn --out x
expect 2 'no_such' train --model no_such --id synthetic --out x
expect 2 'optimizer.*did you mean sgd' train --model resnetv2_20_gn --id synthetic --optimizer sdg --out x
expect 2 '--schedule: no "linear"' train --model resnetv2_20_gn --id synthetic --schedule linear --out x
expect 4 'labels' train --model resnetv2_20_gn --id synthetic:noise --out x
expect 4 'batch' train --model resnetv2_20_gn --id synthetic --limit 10 --batch 20 --steps 1 --out small

# ---- finetune ----
tune() { # CODE PATTERN OUT OPTION...
    tune_code=$1 tune_pattern=$2 tune_out=$3
    shift 3
    expect "$tune_code" "$tune_pattern" finetune --weights $weights --id synthetic --limit 200 --batch 8 --steps 4 \
        --save-every 2 --out "$tune_out" "$@"
}
tune 0 'Energy +before' a --eval-ood letters=synthetic:letters --eval-ood noise=synthetic:noise --eval-limit 50
for file in model.safetensors run.json metrics.jsonl checkpoint.safetensors report.html results.json results.csv \
    scores/before/energy/noise.npy scores/after/msp/id.npy; do
    check "finetune leaves $file" [ -s a/$file ]
done
check "both models in results.json" has a/results.json '"after"'
tune 0 . b --threads 1 --dump-gradients gradients.safetensors
check "the same bytes again, at any number of threads" same a/model.safetensors b/model.safetensors
expect 0 'root.conv.weight' inspect gradients.safetensors
tune 2 'in use.*--overwrite' a
tune 0 . a --overwrite
check "--overwrite removes old results" [ ! -e a/results.json ]
expect 2 'lies in --out a' finetune --weights a/model.safetensors --id synthetic --limit 50 --steps 1 --out a --overwrite
check "and removes no file that it is to read" [ -s a/model.safetensors ]
printf '[finetune]\nseed = 7\n' >seed.ini
tune 0 . c --config seed.ini
check "another seed, another model" [ "$(cmp a/model.safetensors c/model.safetensors | wc -l)" -eq 1 ]

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
for option in "--pseudo-mode compose" "--pseudo-mode none --lambda 0" "--pseudo-mode half" "--pseudo-mode both" \
    "--pseudo-mode random --pseudo-source other" "--pseudo-mode rgb --rgb-identity forbid" \
    "--jigsaw-unit grid --jigsaw-draw image --jigsaw-rest zero --jigsaw-sizes 3" "--ood-per-id 2" \
    "--pseudo-ood synthetic:stripes" "--ood-distance js" "--ood-distance energy --energy-in -10 --energy-out -2" \
    "--norm-scope weight-only --wd-norm no" "--train-params norm" "--train-params last-block" "--sam-first id" \
    "--optimizer sam" "--optimizer adamw --lr 1e-4" "--schedule cosine --warmup 1" "--train-aug flip --no-shuffle" \
    "--nesterov --momentum 0.5"; do
    # shellcheck disable=SC2086 # words
    tune 0 . "option" --overwrite $option
done

# ---- models without normalisation ----
expect 0 . train --model vgg11 --id synthetic --limit 50 --batch 4 --steps 1 --eval-id 'synthetic#test[0:20]' --out vgg
expect 2 'sam-empty' finetune --weights vgg/model.safetensors --id synthetic --limit 50 --batch 2 --steps 1 --out vgg2
expect 0 . finetune --weights vgg/model.safetensors --id synthetic --limit 50 --batch 2 --steps 1 --sam-empty sgd --out vgg3

# ---- stopping and going on ----
stop() { # SIGNAL OUT: starts a long run and stops it once it has done a step
    "$program" finetune --weights $weights --id synthetic --limit 200 --batch 8 --steps 40 --out "$2" >out 2>err </dev/null &
    job=$!
    tries=0
    while [ "$(cat "$2/metrics.jsonl" 2>/dev/null | wc -l)" -lt 3 ] && [ $tries -lt 600 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
    kill -s "$1" $job
    wait $job
}
stop TERM stopped
check "SIGTERM is exit code 143" [ $? -eq 143 ]
check "the state is saved" [ -s stopped/checkpoint.safetensors ]
expect 4 'other options' finetune --weights $weights --id synthetic --limit 200 --batch 8 --steps 40 --lr 0.5 --out stopped \
    --resume
expect 0 'resumed at step' finetune --weights $weights --id synthetic --limit 200 --batch 8 --steps 40 --out stopped --resume
expect 0 . finetune --weights $weights --id synthetic --limit 200 --batch 8 --steps 40 --out whole
check "a resumed run ends with the same bytes" same stopped/model.safetensors whole/model.safetensors
check "a resumed run has a line a step" [ "$(wc -l <stopped/metrics.jsonl)" -eq 40 ]

# ---- damaged checkpoints ----
expect 4 'missing.safetensors' eval --weights missing.safetensors --id synthetic --ood n=synthetic:noise
head -c 1000 $weights >cut.safetensors
expect 4 'cut.safetensors' eval --weights cut.safetensors --id synthetic --ood n=synthetic:noise
printf '\377\377\377\377\377\377\377\177{' >lying.safetensors
expect 4 'lying.safetensors' eval --weights lying.safetensors --id synthetic --ood n=synthetic:noise
expect 4 . eval --weights $weights --model vgg11_gn --id synthetic --ood n=synthetic:noise

# ---- eval ----
expect 0 'MSP.*|Energy' eval --weights $weights --id 'synthetic#test' --limit 50 --ood n=synthetic:noise --score all --out eval
for file in results.json results.csv scores/energy/n.npy report.html run.json; do
    check "eval leaves $file" [ -s eval/$file ]
done
expect 0 '"auroc"' eval --weights $weights --id 'synthetic#test' --limit 50 --ood n=synthetic:noise --json
small_eval() { # CODE PATTERN OPTION...
    small_code=$1 small_pattern=$2
    shift 2
    expect "$small_code" "$small_pattern" eval --weights $weights --id 'synthetic#test' --limit 20 --ood n=synthetic:noise \
        --score msp "$@"
}
small_eval 0 '"ece"' --json
small_eval 0 '"recall": 0.8' --json --recall 0.8
small_eval 0 '"auroc_ci"' --json --bootstrap 20
small_eval 0 ' 97.5 % .*[0-9]' --bootstrap 20
cp out first
small_eval 0 'FPR95' --bootstrap 20 --threads 1
check "a bootstrap is the same at any number of threads" same first out
small_eval 0 'FPR95' --bootstrap 20 --seed 1
check "another seed draws others" [ "$(cmp first out | wc -l)" -eq 1 ]
small_eval 0 'FPR99.5' --recall 0.995
small_eval 2 '--recall: 0 is out of range' --recall 0
small_eval 2 '--bootstrap 1:' --bootstrap 1
small_eval 0 'very images of the ID set' --ood again='synthetic#test'
small_eval 0 'FPR95' --limit 1 --score msp,energy,gradnorm,odin,gen,maxlogit --bootstrap 2
small_eval 4 'class [0-9]+ has none of the 1 images' --limit 1 --score klm
expect 2 'needs at least one --ood' eval --weights $weights --id synthetic
expect 2 'convention|fpr' eval --weights $weights --id synthetic --ood n=synthetic:noise --fpr-positive nobody
expect 2 . eval --weights $weights --id synthetic --ood n=synthetic:noise --ood n=synthetic:letters
expect 4 'no-folder' eval --weights $weights --id cifar10:no-folder --ood n=synthetic:noise

# ---- predict ----
expect 0 'logits of 5 images' predict --weights $weights --images synthetic --limit 5 --out y.npy
check "float32 in a .npy" [ "$(wc -c <y.npy)" -eq $((256 + 5 * 10 * 4)) ]
expect 2 'is there already' predict --weights $weights --images synthetic --limit 5 --out y.npy
expect 0 'energy of 5' predict --weights $weights --images synthetic --limit 5 --output energy --out y.npy --overwrite
expect 0 'features of 5' predict --weights $weights --images synthetic --limit 5 --output features --out f.npy
expect 2 'needs --input X.npy or --images' predict --weights $weights --out z.npy
expect 2 'did you mean energy' predict --weights $weights --images synthetic --output enrgy --out z.npy
expect 4 'missing.npy' predict --weights $weights --input missing.npy --out z.npy
expect 4 'rank|shape|float32' predict --weights $weights --input y.npy --out z.npy
expect 6 . predict --weights $weights --images synthetic --limit 5 --out no-folder/z.npy

# ---- report, inspect, bench ----
rm eval/report.html
expect 0 'eval/report.html' report eval
check "the report is there again" [ -s eval/report.html ]
expect 4 . report no-folder
expect 0 'parameters' inspect resnetv2_20_gn --plan
expect 0 'resnetv2_20_gn' inspect $weights
expect 0 '"images": 10000' inspect synthetic --json
expect 4 . inspect no-such-file
expect 0 'relu' bench --ops relu --seconds 0.01
expect 2 'no op "rulu"' bench --ops rulu
expect 4 'compare' bench --ops relu --compare seed.ini

finish

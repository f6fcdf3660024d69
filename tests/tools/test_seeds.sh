#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# finetune --seeds: complete run folders, their mean and deviation, and going on with the seeds that are not
# done.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

tune() { # CODE PATTERN OUT OPTION...
    tune_code=$1 tune_pattern=$2 tune_out=$3
    shift 3
    expect "$tune_code" "$tune_pattern" finetune --weights "$weights" --id synthetic --limit 100 --batch 4 \
        --steps 2 \
        --lr 0.01 --eval-ood noise=synthetic:noise --eval-limit 20 --score energy --out "$tune_out" "$@"
}
tune 0 'Energy .* [+]- [0-9]+[.][0-9]+ .*[+]-' a --seed 3 --seeds 2
check "the title line names the metrics" has out 'FPR95 .*AUROC'
for file in seed-3/model.safetensors seed-3/results.json seed-3/report.html \
    seed-3/scores/before/energy/id.npy \
    seed-4/model.safetensors seed-4/metrics.jsonl seed-4/scores/after/energy/noise.npy run.json seeds.csv \
    seeds.json; do
    check "seeds leave $file" [ -s a/$file ]
done
check "every seed its own model" [ "$(cmp a/seed-3/model.safetensors a/seed-4/model.safetensors | wc -l)" \
    -eq 1 ]
check "seeds.csv has a column a seed" has a/seeds.csv '^score,set,metric,before,mean,sd,seed-3,seed-4$'
check "and a row a metric" [ "$(wc -l <a/seeds.csv)" -eq 9 ]
awk -F, '$2 == "noise" && $3 == "auroc" {
    mean = ($7 + $8) / 2
    sd = sqrt(($7 - mean) ^ 2 + ($8 - mean) ^ 2)
    exit !($5 - mean < 1e-12 && mean - $5 < 1e-12 && $6 - sd < 1e-12 && sd - $6 < 1e-12)
}' a/seeds.csv
check "mean and sample deviation" [ $? -eq 0 ]

# A seed alone is the same run; what is done is not done again.
tune 0 . b --seed 4
check "a seed is what --seed N alone makes" same a/seed-4/model.safetensors b/model.safetensors
check "and so are its results" same a/seed-4/results.json b/results.json
touch -d '2001-01-01' a/seed-3/model.safetensors
rm -r a/seed-4
tune 0 'seed 3 is done' a --seed 3 --seeds 3 --resume --verbose
check "seed 3 was left alone" [ a/seed-4/model.safetensors -nt a/seed-3/model.safetensors ]
check "seed 4 is as before" same a/seed-4/model.safetensors b/model.safetensors
check "another seed went along" has a/seeds.csv 'seed-5$'
tune 2 'in use' a --seed 3 --seeds 2

# Finished seeds of other options are not taken as done: another rate is refused, more is evaluated anew.
tune 4 'seed-3.*--momentum was 0.9 and is 0.5' a --seed 3 --seeds 3 --resume --momentum 0.5
tune 0 'resumed at step 2 of 2' a --seed 3 --seeds 2 --resume --recall 0.9
check "with the same models" same a/seed-4/model.safetensors b/model.safetensors
tune 0 'seed 4 is done' a --seed 3 --seeds 3 --resume --recall 0.9 --verbose
tune 2 'holds a run of the kind seeds' a --resume
tune 0 'resumed at step 2' a --seed 3 --seeds 3 --resume

# The page over all seeds, and those of each.
check "a page of means and deviations" has a/report.html \
    '<small>&plusmn;[0-9.]*<span> over the seeds</span></small>'
check "with a way to each seed's" has a/report.html 'href="seed-5/report.html"'
cp a/report.html first.html
rm a/report.html
expect 0 'a/report.html' report a
check "the same page again" same first.html a/report.html
tune 0 'a/report.html' a --overwrite
check "no seeds are left of what was overwritten" [ ! -e a/seed-3 ]
check "nor their means" [ ! -e a/seeds.json ]
tune 0 '"sd"' c --seeds 2 --json
tune 2 '--seeds: 0 is out of range' d --seeds 0

finish

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# reproduce, on built-in images under the names of the tables' columns: what is missing is told, what is there
# is shared.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

r20=r20/model.safetensors
vgg=vgg/model.safetensors
expect 0 . train --model resnetv2_20_gn --id synthetic --limit 40 --batch 8 --steps 2 \
    --eval-id 'synthetic#test[0:20]' --out r20
expect 0 . train --model vgg11 --id synthetic --limit 20 --batch 2 --steps 1 --eval-id 'synthetic#test[0:4]' \
    --out vgg

# ---- what is missing ----
expect 2 'did you mean table1' reproduce table11 --out x
expect 2 'needs --out' reproduce small
expect 4 'a resnetv2_20_gn has no part in table1' reproduce table1 --weights $r20 --out x
expect 2 'name the weights of VGG11 .*--weights FILE' reproduce table3 --out x
expect 4 'a resnetv2_20_gn has no part in table3' reproduce table3 --weights $r20 --out x
expect 2 'has no model called VGG16' reproduce table3 --weights VGG16=$vgg --out x
expect 4 'no cifar10 below --data nowhere' reproduce small-table4 --data nowhere --weights $r20 --out x
expect 4 'none of its OOD sets' reproduce small-table4 --id synthetic --eval-id 'synthetic#test' \
    --weights $r20 --out x
expect 4 'missing.safetensors' reproduce table3 --weights missing.safetensors --out x
check "nothing is left of what did not start" [ ! -e x ]

# ---- tables ----
# small CODE PATTERN NAME OPTION...: reproduces on few images and with few steps, into lab.
small() {
    small_code=$1 small_pattern=$2 small_name=$3
    shift 3
    expect "$small_code" "$small_pattern" reproduce "$small_name" --weights $r20 --id 'synthetic#train' \
        --eval-id 'synthetic#test' --ood textures=synthetic:noise --limit 20 --batch 20 --steps 1 \
        --out lab "$@"
}
small 2 'is it mnist_m' small-table4 --ood mnist=synthetic:letters
small 2 'no option.*--bath' small-table4 --seeds 1 --tune '--bath 2'
small 2 'schedule constant' small-table4 --seeds 1 --tune '--schedule cosine' --resume
small 0 'small-SFT, only ID data +measured' small-table4 --seeds 2 --tune '--batch 2' --resume
check "what is missing is told" has err 'no mnist_m .*--ood mnist_m=SPEC'
check "and noted beside the table" has lab/small-table4.md 'no mnist_m'
for file in small-table4.md small-table4.csv small-table4.json small-table4.html run.json; do
    check "tables leave $file" [ -s lab/$file ]
done
check "the last line names the page" [ "$(tail -n 1 out)" = lab/small-table4.html ]
check "which has means and deviations" has lab/small-table4.html \
    '<small>&plusmn;[0-9.]*<span class="vh"> over the seeds'
check "and what is missing" has lab/small-table4.html '<li>no mnist_m '
check "the deviation of the seeds" has lab/small-table4.csv 'small-SFT,energy,,1,average,auroc,2,'
check "runs are run folders" [ "$(find lab/runs -name metrics.jsonl | wc -l)" -eq 4 ]

small 2 'in use' small-table4 --seeds 2 --tune '--batch 2'
small 0 'small-table4: 0 trainings with 0 steps, 0 evaluations .* 5 are there' small-table4 --seeds 2 \
    --tune '--batch 2' --resume
small 0 'small-table6: 1 trainings with 1 steps, 1 evaluations .* 2 are there' small-table6 --seeds 1 \
    --tune '--batch 2' --resume
small 0 '"tables"' small-table6 --seeds 1 --tune '--batch 2' --resume --json

expect 0 'Energy +measured' reproduce table3 --weights vgg11=$vgg --id 'synthetic#train' \
    --eval-id 'synthetic#test' \
    --ood svhn=synthetic:noise --ood iSUN=synthetic:letters --limit 10 --batch 10 --seeds 1 --steps 1 \
    --tune '--batch 2' --out table3
check "what the paper prints" grep -Eq 'paper +53.13 +92.26 +55.39 +88.97 +54.26 +90.6' out
check "and the difference" has table3/table3.md '| difference |'
check "three readings, as far as there are weights" has table3/table3.md 'MSP+SFT, all perturbed'

# ---- figures ----
small 0 'energy +textures' small-figure4 --tune '--batch 2' --resume
for file in energy-textures-bins.csv energy-textures-kernel.csv report.html results.json; do
    check "a figure leaves $file" [ -s lab/small-figure4/$file ]
done
check "100 bins" [ "$(wc -l <lab/small-figure4/energy-textures-bins.csv)" -eq 101 ]
small 0 . small-prop1 --tune '--batch 2 --probe 10' --resume
check "proposition 1" [ -s lab/small-prop1/prop1.jsonl ]

finish

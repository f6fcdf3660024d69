#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# inspect and bench.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

expect 0 'parameters' inspect resnetv2_20_gn --plan
expect 0 'memory +undivided, 1 MiB of weights' inspect resnetv2_20_gn --plan --batch 8
expect 0 'memory +[0-9]+ micro-batches of [0-9]+ images' inspect resnetv2_20_gn --plan \
    --batch 96 --memory 300M
# Batch norm is not cut: whatever the process itself takes, the rest is too little for all values.
expect 0 'again +.*group_norm' inspect resnetv2_20_bn --plan --batch 192 --memory 600M
expect 0 '"operations_again": [1-9]' inspect resnetv2_20_bn --plan --batch 192 --memory 600M --json
expect 5 'needs at least [0-9]+ MiB beside the model.*use a larger --memory' inspect resnetv2_20_gn --plan \
    --memory 40M
expect 5 'batch norm needs the whole batch at once' inspect resnetv2_20_bn --plan --batch 96 --memory 200M
expect 2 'did you mean sam-norm' inspect resnetv2_20_gn --plan --optimizer sam-nrm
expect 0 'resnetv2_20_gn' inspect "$weights"
expect 0 '"images": 10000' inspect synthetic --json
expect 4 . inspect no-such-file

# What a folder has that is not among its images.
golden=$root/tests/golden/datasets
mkdir -p set/a set/b set/c set/run/plots
cp "$golden/rgb.png" set/a
cp "$golden/420.jpg" set/c
cp "$golden/grey.png" set/preview.png
cp "$golden/grey.png" set/run/plots
printf '{\n  "program": "sft-vk"\n}\n' >set/run/run.json
expect 0 'classes 3: a, b, c' inspect set
expect 0 'without 1 picture beside the class folders is left out: preview.png' inspect set
expect 0 '"kind": "own_results"' inspect set --json
expect 0 '"kind": "empty_classes"' inspect set --json
tar cf set.tar set
expect 0 'classes 3: a, b, c' inspect set.tar
mkdir root
cp -r set root/train
cp -r set root/test
expect 0 'SPEC#NAME, like #train' inspect root
expect 0 'classes 3: a, b, c' inspect 'root#test'

expect 0 'relu' bench --ops relu --seconds 0.01
expect 2 'no op "rulu"' bench --ops rulu
echo '[' >damaged.json
expect 4 'compare' bench --ops relu --compare damaged.json

finish

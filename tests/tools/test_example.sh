#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The example of the library makes the model that the command line makes.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

"$2" library >out 2>&1
check "the example runs" [ $? -eq 0 ]
expect 0 . finetune --weights "$weights" --id 'synthetic#train' --limit 100 --batch 8 --steps 3 --out program
check "the same bytes" same library/model.safetensors program/model.safetensors

finish

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# finetune, stopped by a signal and resumed: ends with the bytes of an undisturbed run.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

stop() { # SIGNAL OUT: starts a long run and stops it once it has done a step
    "$program" finetune --weights "$weights" --id synthetic --limit 200 --batch 8 --steps 40 \
        --out "$2" >out 2>err </dev/null &
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
expect 4 'other options' finetune --weights "$weights" --id synthetic --limit 200 --batch 8 --steps 40 \
    --lr 0.5 --out stopped --resume
expect 0 'resumed at step' finetune --weights "$weights" --id synthetic --limit 200 --batch 8 --steps 40 \
    --out stopped --resume
expect 0 . finetune --weights "$weights" --id synthetic --limit 200 --batch 8 --steps 40 --out whole
check "a resumed run ends with the same bytes" same stopped/model.safetensors whole/model.safetensors
check "a resumed run has a line a step" [ "$(wc -l <stopped/metrics.jsonl)" -eq 40 ]

finish

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SAM's relatives and the trace of Proposition 1 on the command line, small, on the CPU.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

tune() { # CODE PATTERN OUT OPTION...
    tune_code=$1 tune_pattern=$2 tune_out=$3
    shift 3
    expect "$tune_code" "$tune_pattern" finetune --weights "$weights" --id synthetic --limit 100 --batch 4 \
        --out "$tune_out" "$@"
}

# ---- every optimiser, and what they take ----
for option in "--optimizer sam-linf --rho 0.001" "--optimizer wsam --wsam-mode coupled" "--optimizer random" \
    "--optimizer friendly-sam" "--optimizer looksam --look-k 2" \
    "--optimizer ssam-f --ssam-samples 2 --ssam-every 1" \
    "--optimizer ssam-d --ssam-every 1 --ssam-score weight" "--adaptive layer --adaptive-biases yes" \
    "--optimizer gsam --perturb norm --schedule cosine --rho-floor 0.1" "--sam-m 2" \
    "--optimizer sam --perturb conv --sam-m 4" "--ood-forward separate" "--optimizer esam"; do
    # shellcheck disable=SC2086 # words
    tune 0 . "option" --steps 2 --overwrite $option
done
tune 0 . asam --steps 1 --optimizer asam
check "rho is the optimiser's own" has asam/run.json '"rho": 0.5'
tune 2 'sgd perturbs nothing' x --optimizer sgd --perturb all
tune 2 'do not divide into 3 equal parts' x --sam-m 3
tune 2 'looksam does not work in parts' x --optimizer looksam --sam-m 2
tune 2 '--wsam-gamma: 1 is out of range' x --optimizer wsam --wsam-gamma 1
tune 2 '--look-k: 0 is out of range' x --look-k 0
tune 2 '--perturb: no "norms"; did you mean "norm"' x --perturb norms
tune 2 'did you mean gsam' x --optimizer gsan

# ---- Proposition 1 ----
tune 2 '--eval-ood' x --trace prop1
sets="--eval-ood noise=synthetic:noise --eval-limit 20 --probe 10"
# shellcheck disable=SC2086 # words
tune 0 'Proposition 1 over 4 steps' traced --steps 4 $sets --trace prop1
check "a line a step" [ "$(wc -l <traced/prop1.jsonl)" -eq 4 ]
check "its sums are in run.json" has traced/run.json '"max_logit"'
tune 0 . plain --steps 4
check "looking changes nothing" same traced/model.safetensors plain/model.safetensors
finish

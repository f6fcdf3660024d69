/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of the files in a run folder, for those who write them and those who read them: evaluations and
 * reports (ood/), jobs (tools/jobs). docs/architecture.md says which run has which.
 */
#ifndef SFT_RUN_FILES_H
#define SFT_RUN_FILES_H

/* Of every run: all that was asked, chosen and found. */
#define SFT_FILE_RECORD "run.json"

/* Of a training: the model, the state to resume from, a line for each step. */
#define SFT_FILE_MODEL "model.safetensors"
#define SFT_FILE_CHECKPOINT "checkpoint.safetensors"
#define SFT_FILE_METRICS "metrics.jsonl"
#define SFT_FILE_PROP1 "prop1.jsonl"

/* Of an evaluation, and of several seeds. Scores lie in SCORES/[before|after/]SCORE/SET.npy. */
#define SFT_FILE_RESULTS "results.json"
#define SFT_FILE_RESULTS_CSV "results.csv"
#define SFT_FILE_EXAMPLES "examples.json"
#define SFT_FILE_SEEDS "seeds.json"
#define SFT_FILE_SEEDS_CSV "seeds.csv"
#define SFT_FOLDER_SCORES "scores"

/* The page, and its charts as files of their own. */
#define SFT_FILE_REPORT "report.html"
#define SFT_FOLDER_PLOTS "plots"

#endif

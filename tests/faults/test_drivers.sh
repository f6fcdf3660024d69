# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Vulkan drivers that crash, sleep, have no device or refuse theirs, and a device that is lost: only what was
# asked for is started, and what does not work is a warning where there is something else. Run as
# `sh test_drivers.sh PROGRAM FOLDER`, FOLDER with the libraries of tests/faults.
set -u
faults=$2
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/../tools/lib.sh"
unset SFT_VK_DEVICE

predict() {
    code=$1 pattern=$2
    shift 2
    rm -f p.npy
    expect "$code" "$pattern" predict --weights "$weights" --images 'synthetic#test[0:2]' \
        --output msp --out p.npy "$@"
}

# ---- drivers ----

VK_DRIVER_FILES=$faults/icd.json
VK_ICD_FILENAMES=$VK_DRIVER_FILES
export VK_DRIVER_FILES VK_ICD_FILENAMES SFT_TEST_DRIVER

for SFT_TEST_DRIVER in crash sleep empty broken refuses; do
    begun=$(date +%s)
    predict 0 'p.npy: msp of 2 images' --device cpu
    took=$(($(date +%s) - begun))
    check "a driver that is not asked for ($SFT_TEST_DRIVER) is not even loaded" [ $took -lt 30 ]
    expect 0 'sft-vk' --version
done

for SFT_TEST_DRIVER in crash empty broken refuses; do
    predict 0 'p.npy: msp of 2 images' --device auto
    cat out err >"said.$SFT_TEST_DRIVER"
    predict 3 'sft-vk: error: ' --device vulkan
    expect 0 '^cpu' devices
done
check "no device is nothing to warn of" lacks said.empty 'warning'
check "a driver that crashes is a warning, as a child process loads it first" \
    has said.crash 'warning: vulkan: its devices cannot be listed: loading its drivers ended'
check "a broken driver is a warning" has said.broken 'warning: vulkan: its devices cannot be listed'
check "a device that cannot be opened is a warning" \
    has said.refuses 'warning: device: a card of another world is passed over'

printf 'no JSON' >not.json
sed 's|\./icd.so|/nowhere/lib.so|' "$faults/icd.json" >gone.json
for VK_DRIVER_FILES in "$PWD/not.json" "$PWD/gone.json" /nonexistent.json; do
    VK_ICD_FILENAMES=$VK_DRIVER_FILES
    predict 0 'p.npy: msp of 2 images' --device auto
    predict 3 'this machine has' --device vulkan
done
unset VK_DRIVER_FILES VK_ICD_FILENAMES SFT_TEST_DRIVER

# ---- a device that is lost while it works ----

SFT_VK_CACHE_DIR=$PWD VK_ADD_LAYER_PATH=$faults VK_INSTANCE_LAYERS=VK_LAYER_SFT_fault
export SFT_FAIL_VK SFT_VK_CACHE_DIR VK_ADD_LAYER_PATH VK_INSTANCE_LAYERS
for number in 1 3; do
    SFT_FAIL_VK=vkWaitSemaphores:$number:-4
    expect 1 'vkWaitSemaphores: the device was lost' finetune --device vulkan --weights "$weights" \
        --id synthetic --limit 4 --batch 2 --steps 2 --out run --overwrite --quiet
    check "the loss is told once" [ "$(grep -c 'was lost' err)" -eq 1 ]
done

finish

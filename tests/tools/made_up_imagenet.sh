#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Lays pictures out as the published files of ImageNet-1k and its four OOD sets are, to try `sft-vk reproduce
# table1 --data OUT` out without them. 20 classes: the ten of the packs highres/imagenette_*, and ten of
# imagenet_objects, whose only picture is there under many names. What is measured on them says nothing.
#
#     sh tests/tools/made_up_imagenet.sh /work/shared/data/highres OUT
set -eu
packs=$1 out=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir -p "$out/imagenet/train" "$out/imagenet/val" "$out/iNaturalist/images" "$out/SUN/images" \
    "$out/Places/images" "$out/dtd"
for pack in imagenette_train imagenette_val imagenet_objects imagenet_nature imagenet_places textures; do
    mkdir "$work/$pack"
    tar -xf "$packs/$pack.tar" -C "$work/$pack"
done

# copies FROM-FOLDER CLASS COUNT TO: COUNT pictures, over and over where there are fewer.
copies() {
    mkdir -p "$4/$2"
    i=0
    while [ "$i" -lt "$3" ]; do
        for picture in "$1/$2"/*; do
            [ "$i" -lt "$3" ] || break
            i=$((i + 1))
            cp "$picture" "$4/$2/$2_$i.JPEG"
        done
    done
}
for class in "$work"/imagenette_train/*; do
    class=${class##*/}
    copies "$work/imagenette_train" "$class" 20 "$out/imagenet/train"
    copies "$work/imagenette_val" "$class" 5 "$out/imagenet/val"
done
classes=$(find "$work/imagenet_objects" -mindepth 1 -maxdepth 1 -name 'n*' | sort | head -n 10)
for class in $classes; do
    class=${class##*/}
    copies "$work/imagenet_objects" "$class" 20 "$out/imagenet/train"
    copies "$work/imagenet_objects" "$class" 5 "$out/imagenet/val"
    rm -r "$work/imagenet_objects/$class"
done
# flat PACK TO: every picture into one folder.
flat() { find "$work/$1" -type f -exec cp {} "$2" ';'; }
flat imagenet_nature "$out/iNaturalist/images"
flat imagenet_places "$out/SUN/images"
flat imagenet_objects "$out/Places/images"
cp -R "$work/textures" "$out/dtd/images"

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * WebP through libwebp. Alpha is dropped and not blended, and of an animation the first frame is taken, as
 * Pillow does both.
 */
#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>
#include <webp/demux.h>

#include "datasets/decoders.h"

static enum sft_status out_of_memory(const char *name)
{
    return sft_fail(SFT_MEMORY, "%s: out of memory while decoding", name);
}

static enum sft_status fail_as(VP8StatusCode code, const char *name)
{
    static const char *const reasons[] = {
        [VP8_STATUS_BITSTREAM_ERROR] = "its data are wrong",
        [VP8_STATUS_UNSUPPORTED_FEATURE] = "it asks for something that WebP does not have",
        [VP8_STATUS_SUSPENDED] = "it is cut off",
        [VP8_STATUS_NOT_ENOUGH_DATA] = "it is cut off",
    };
    const size_t known = sizeof(reasons) / sizeof(reasons[0]);
    if (code == VP8_STATUS_OUT_OF_MEMORY) return out_of_memory(name);
    return sft_fail(SFT_DATA, "%s: damaged WebP: %s", name,
                    (size_t)code < known && reasons[code] ? reasons[code] : "it does not decode");
}

static enum sft_status decode_still(const uint8_t *data, size_t size, const char *name,
                                    struct sft_image *image)
{
    WebPDecoderConfig config;
    VP8StatusCode code;
    if (!WebPInitDecoderConfig(&config)) return sft_fail(SFT_FAILED, "libwebp is of another version");
    config.output.colorspace = MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = image->rgb;
    config.output.u.RGBA.stride = image->width * 3;
    config.output.u.RGBA.size = (size_t)image->width * (size_t)image->height * 3;
    code = WebPDecode(data, size, &config);
    WebPFreeDecBuffer(&config.output);
    return code == VP8_STATUS_OK ? SFT_OK : fail_as(code, name);
}

/* Puts the frame's pixels, decoded without alpha, onto the black canvas of the picture. */
static enum sft_status place_frame(const WebPIterator *frame, const char *name, struct sft_image *image)
{
    struct sft_image part = {0};
    enum sft_status status = SFT_OK;
    if (frame->x_offset < 0 || frame->y_offset < 0 || frame->width > image->width - frame->x_offset ||
        frame->height > image->height - frame->y_offset)
        return fail_as(VP8_STATUS_BITSTREAM_ERROR, name);
    SFT_TRY_OUT(sft_image_reserve(&part, frame->width, frame->height, name));
    SFT_TRY_OUT(decode_still(frame->fragment.bytes, frame->fragment.size, name, &part));
    memset(image->rgb, 0, (size_t)image->width * (size_t)image->height * 3);
    for (int y = 0; y < part.height; y++)
        memcpy(image->rgb +
                   ((size_t)(frame->y_offset + y) * (size_t)image->width + (size_t)frame->x_offset) * 3,
               part.rgb + (size_t)y * (size_t)part.width * 3, (size_t)part.width * 3);
out:
    sft_image_free(&part);
    return status;
}

static enum sft_status decode_first(const uint8_t *data, size_t size, const char *name,
                                    struct sft_image *image)
{
    const WebPData bytes = {data, size};
    WebPIterator frame;
    enum sft_status status;
    WebPDemuxState state;
    WebPDemuxer *demuxer = WebPDemuxPartial(&bytes, &state);
    if (!demuxer && state == WEBP_DEMUX_PARSING_HEADER) return fail_as(VP8_STATUS_NOT_ENOUGH_DATA, name);
    if (!demuxer || state != WEBP_DEMUX_DONE) {
        WebPDemuxDelete(demuxer);
        return fail_as(
            state == WEBP_DEMUX_PARSE_ERROR ? VP8_STATUS_BITSTREAM_ERROR : VP8_STATUS_NOT_ENOUGH_DATA, name);
    }
    if (!WebPDemuxGetFrame(demuxer, 1, &frame)) {
        WebPDemuxDelete(demuxer);
        return fail_as(VP8_STATUS_BITSTREAM_ERROR, name);
    }
    status = place_frame(&frame, name, image);
    WebPDemuxReleaseIterator(&frame);
    WebPDemuxDelete(demuxer);
    return status;
}

enum sft_status sft_decode_webp(const uint8_t *data, size_t size, const char *name, struct sft_image *image)
{
    WebPBitstreamFeatures features;
    VP8StatusCode code = WebPGetFeatures(data, size, &features);
    if (code != VP8_STATUS_OK) return fail_as(code, name);
    SFT_TRY(sft_image_reserve(image, features.width, features.height, name));
    if (features.has_animation) return decode_first(data, size, name, image);
    return decode_still(data, size, name, image);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/kinds.h"

#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    const char *endings[12];
} kinds[SFT_PICTURE_KINDS] = {
    [SFT_PNG] = {"PNG", {".png"}},
    [SFT_JPEG] = {"JPEG", {".jpg", ".jpeg", ".jpe", ".jfif"}},
    [SFT_WEBP] = {"WebP", {".webp"}},
    [SFT_BMP] = {"BMP", {".bmp", ".dib"}},
    [SFT_PNM] = {"PNM", {".ppm", ".pgm", ".pbm", ".pnm"}},
    [SFT_GIF] = {"GIF", {".gif"}},
    [SFT_TIFF] = {"TIFF", {".tif", ".tiff"}},
    [SFT_HEIC] = {"HEIC", {".heic", ".heif", ".hif"}},
    [SFT_AVIF] = {"AVIF", {".avif"}},
    [SFT_JPEG_XL] = {"JPEG XL", {".jxl"}},
    [SFT_JPEG_2000] = {"JPEG 2000", {".jp2", ".j2k", ".jpx"}},
    [SFT_RAW] = {"camera raw", {".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".raf", ".rw2"}},
    [SFT_PSD] = {"Photoshop", {".psd"}},
    [SFT_OTHER_PICTURE] = {"other", {".svg", ".tga", ".ico", ".pcx", ".exr", ".hdr", ".dcm", ".pam"}},
};

static const struct {
    enum sft_picture_kind kind;
    size_t offset, length;
    const char *bytes;
} magics[] = {
    {SFT_PNG, 0, 4, "\x89PNG"},      {SFT_JPEG, 0, 3, "\xff\xd8\xff"},
    {SFT_WEBP, 8, 4, "WEBP"},        {SFT_GIF, 0, 4, "GIF8"},
    {SFT_TIFF, 0, 4, "II*\0"},       {SFT_TIFF, 0, 4, "MM\0*"},
    {SFT_AVIF, 4, 7, "ftypavi"},     {SFT_HEIC, 4, 7, "ftyphei"},
    {SFT_HEIC, 4, 7, "ftyphev"},     {SFT_HEIC, 4, 7, "ftypmif"},
    {SFT_HEIC, 4, 7, "ftypmsf"},     {SFT_JPEG_XL, 4, 4, "JXL "},
    {SFT_JPEG_XL, 0, 2, "\xff\x0a"}, {SFT_JPEG_2000, 4, 4, "jP  "},
    {SFT_PSD, 0, 4, "8BPS"},         {SFT_BMP, 0, 2, "BM"},
    {SFT_PNM, 0, 2, "P6"},           {SFT_PNM, 0, 2, "P5"},
    {SFT_PNM, 0, 2, "P4"},
};

/* What notebooks, archivers, file systems and network drives put beside people's files. */
static const char *const debris[] = {
    "__MACOSX",
    "Thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "@eaDir",
    "@tmp",
    "@SynoResource",
    "#recycle",
    "#snapshot",
    "@Recycle",
    "@Recently-Snapshot",
    "@Transcode",
    "~snapshot",
    "lost+found",
    "LOST.DIR",
    "__pycache__",
    "$RECYCLE.BIN",
    "RECYCLER",
    "System Volume Information",
    "Network Trash Folder",
    "Temporary Items",
    "TheVolumeSettingsFolder",
    "Icon\r",
};

bool sft_picture_is_read(enum sft_picture_kind kind) { return kind >= 0 && kind < SFT_PICTURES_READ; }

const char *sft_picture_name(enum sft_picture_kind kind) { return kinds[kind].name; }

enum sft_picture_kind sft_picture_by_content(const uint8_t *head, size_t size)
{
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
        if (size >= magics[i].offset + magics[i].length &&
            memcmp(head + magics[i].offset, magics[i].bytes, magics[i].length) == 0)
            return magics[i].kind;
    return SFT_PICTURE_NONE;
}

bool sft_ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcasecmp(text + length - tail, end) == 0;
}

enum sft_picture_kind sft_picture_by_name(const char *name)
{
    const char *dot = strrchr(name, '.'); /* no ending has another one */
    for (int kind = 0; dot && kind < SFT_PICTURE_KINDS; kind++)
        for (int i = 0; kinds[kind].endings[i]; i++)
            if (strcasecmp(dot, kinds[kind].endings[i]) == 0) return (enum sft_picture_kind)kind;
    return SFT_PICTURE_NONE;
}

/* FOUND.000 and so on, of Windows' chkdsk. */
static bool is_found(const char *name)
{
    return strncasecmp(name, "FOUND.", 6) == 0 && strspn(name + 6, "0123456789") == 3 && !name[9];
}

bool sft_is_debris(const char *name)
{
    if (name[0] == '.' || is_found(name)) return true;
    for (size_t i = 0; i < sizeof(debris) / sizeof(debris[0]); i++)
        if (strcasecmp(name, debris[i]) == 0) return true;
    return false;
}

bool sft_is_own_run(const uint8_t *head, size_t size)
{
    char text[SFT_HEAD + 1];
    size_t length = size < SFT_HEAD ? size : SFT_HEAD;
    memcpy(text, head, length);
    text[length] = '\0';
    return text[0] == '{' && strstr(text, "\"program\": \"sft-vk\"");
}

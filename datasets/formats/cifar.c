/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CIFAR-10's binary version (A. Krizhevsky, 2009): records of a label byte and three planes of 32 x 32 bytes,
 * without a header. cifar10 is the whole set in any of its packings, cifar-bin one file of such records.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/archive.h"
#include "datasets/format.h"
#include "datasets/unpack.h"
#include "runtime/base/alloc.h"
#include "runtime/base/parallel.h"
#include "runtime/base/path.h"

enum {
    SIDE = 32,
    PLANE = SIDE * SIDE,
    RECORD = 1 + 3 * PLANE,
    RECORD_100 = RECORD + 1,
    CLASSES = 10,
    MAX_PARTS = 5
};

/* A batch has 10,000 records; ten times a whole CIFAR-10 is still taken. */
#define UNPACKED_LIMIT ((size_t)RECORD * 600000)

static const char *const cifar10_classes[CLASSES] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                                     "dog",      "frog",       "horse", "ship", "truck"};
static const char *const digits[CLASSES] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

/* Records in up to five files, in this order. */
struct cifar {
    int parts;
    const char *const *class_names;
    char *paths[MAX_PARTS];
    struct sft_unpacked files[MAX_PARTS];
    int64_t counts[MAX_PARTS];
    enum sft_status status[MAX_PARTS];
};

static const struct {
    const char *name;
    int parts;
    const char *files[MAX_PARTS];
} splits[] = {
    {"train",
     5,
     {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"}},
    {"test", 1, {"test_batch.bin"}},
};

static enum sft_status check_records(const char *path, const struct sft_unpacked *file, int64_t *count)
{
    *count = (int64_t)(file->size / RECORD);
    if (file->size == 0) return sft_fail(SFT_DATA, "%s: no records in it; the file is empty", path);
    if (file->size % RECORD != 0 && file->size % RECORD_100 == 0)
        return sft_fail(SFT_DATA,
                        "%s: records of %d bytes are CIFAR-100's, with two labels each; CIFAR-10's are read",
                        path, RECORD_100);
    if (file->size % RECORD != 0)
        return sft_fail(
            SFT_DATA,
            "%s: %zu bytes is no multiple of %d, the size of a record: the file is cut off or is no CIFAR-10 "
            "binary batch",
            path, file->size, RECORD);
    for (int64_t i = 0; i < *count; i++)
        if (file->data[i * RECORD] >= CLASSES)
            return sft_fail(SFT_DATA, "%s: record %" PRId64 " has label %d; labels are 0 to %d", path, i,
                            file->data[i * RECORD], CLASSES - 1);
    return SFT_OK;
}

static void load_part(void *context, int64_t part, int slot)
{
    struct cifar *cifar = context;
    (void)slot;
    cifar->status[part] = sft_unpack(cifar->paths[part], UNPACKED_LIMIT, &cifar->files[part]);
    if (cifar->status[part] == SFT_OK)
        cifar->status[part] = check_records(cifar->paths[part], &cifar->files[part], &cifar->counts[part]);
}

static enum sft_status load_parts(struct cifar *cifar, struct sft_source *source)
{
    sft_parallel_for(cifar->parts, load_part, cifar);
    for (int i = 0; i < cifar->parts; i++) {
        SFT_TRY(cifar->status[i]);
        source->count += cifar->counts[i];
    }
    return SFT_OK;
}

/* The first of folder/name, .xz, .gz that is there; NULL when none is or memory ran out (*memory). */
static char *find_packing(const char *folder, const char *name, bool *memory)
{
    static const char *const packings[] = {"", ".xz", ".gz"};
    for (size_t i = 0; i < sizeof(packings) / sizeof(packings[0]); i++) {
        char *path = sft_path_join(folder, "%s%s", name, packings[i]);
        if (!path) {
            *memory = true;
            return NULL;
        }
        if (access(path, F_OK) == 0) return path;
        free(path);
    }
    return NULL;
}

static bool holds(const char *folder, const char *name)
{
    bool memory = false;
    char *path = find_packing(folder, name, &memory);
    free(path);
    return path != NULL;
}

/* What a folder holds in place of CIFAR-10's binary version, by a file that the other versions have; NULL
 * where none of them is there. */
static const char *other_version(const char *folder)
{
    static const struct {
        const char *files[2], *what;
    } versions[] = {
        {{"data_batch_1", "test_batch"}, "the Python version of CIFAR-10"},
        {{"cifar-10-batches-py", "cifar-10-python.tar"}, "the Python version of CIFAR-10"},
        {{"data_batch_1.mat", "test_batch.mat"}, "the Matlab version of CIFAR-10"},
        {{"cifar-10-batches-mat", "cifar-10-matlab.tar"}, "the Matlab version of CIFAR-10"},
        {{"fine_label_names.txt", "coarse_label_names.txt"}, "CIFAR-100"},
        {{"cifar-100-binary", "cifar-100-binary.tar"}, "CIFAR-100"},
        {{"cifar-100-python", "cifar-100-python.tar"}, "CIFAR-100"},
    };
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
        if (holds(folder, versions[i].files[0]) || holds(folder, versions[i].files[1]))
            return versions[i].what;
    return NULL;
}

/* `found` of the split's files are there, `missing` are not. */
static enum sft_status report_missing(const char *folder, const char *missing, int found,
                                      struct sft_source *source)
{
    static const char message[] =
        "%s: missing %s (plain, .xz or .gz); cifar10 is the folder of the binary version or its .tar.gz";
    const char *version = other_version(folder);
    if (!found && version)
        return sft_fail(SFT_DATA,
                        "%s: this is %s; the binary version of CIFAR-10 is read (cifar-10-binary.tar.gz)",
                        folder, version);
    if (!found) return sft_split_absent(source, SFT_DATA, message, folder, missing);
    return sft_fail(SFT_DATA, message, folder, missing);
}

static enum sft_status find_parts(struct cifar *cifar, const char *folder, int split,
                                  struct sft_source *source)
{
    char missing[256] = "";
    int found = 0;
    for (int i = 0; i < splits[split].parts; i++) {
        bool memory = false;
        size_t used = strlen(missing);
        cifar->paths[i] = find_packing(folder, splits[split].files[i], &memory);
        if (memory) return SFT_MEMORY;
        if (cifar->paths[i])
            found++;
        else
            snprintf(missing + used, sizeof(missing) - used, "%s%s", used ? ", " : "",
                     splits[split].files[i]);
    }
    return missing[0] ? report_missing(folder, missing, found, source) : SFT_OK;
}

/* Reads an archive's member into memory of the part. */
static enum sft_status read_member(struct archive *archive, struct archive_entry *entry, struct cifar *cifar,
                                   int part)
{
    struct sft_unpacked *file = &cifar->files[part];
    int64_t size = archive_entry_size(entry);
    const char *path = cifar->paths[part];
    if (size < 0 || (size_t)size > UNPACKED_LIMIT)
        return sft_fail(SFT_DATA, "%s: %" PRId64 " bytes cannot be a CIFAR-10 batch", path, size);
    if (file->memory) return sft_fail(SFT_DATA, "%s: comes twice in the archive", path);
    file->memory = sft_calloc((size_t)size, 1);
    if (!file->memory) return SFT_MEMORY;
    file->data = file->memory;
    file->size = (size_t)size;
    if (archive_read_data(archive, file->memory, (size_t)size) != size)
        return sft_archive_fail(archive, path);
    return check_records(path, file, &cifar->counts[part]);
}

static int part_of_member(const char *member, int split)
{
    const char *slash = member ? strrchr(member, '/') : NULL, *base = slash ? slash + 1 : member;
    for (int i = 0; base && i < splits[split].parts; i++)
        if (strcmp(base, splits[split].files[i]) == 0) return i;
    return -1;
}

/* Whether an archive that was read to its end had all batches of the split. */
static enum sft_status check_members(const struct cifar *cifar, const char *path, int split,
                                     struct sft_source *source)
{
    static const char message[] =
        "%s: missing %s; this is not the binary version of CIFAR-10 (cifar-10-binary.tar.gz)";
    int found = 0, missing = -1;
    for (int i = cifar->parts - 1; i >= 0; i--) {
        if (cifar->files[i].memory)
            found++;
        else
            missing = i;
    }
    if (missing < 0) return SFT_OK;
    if (!found) return sft_split_absent(source, SFT_DATA, message, path, splits[split].files[missing]);
    return sft_fail(SFT_DATA, message, path, splits[split].files[missing]);
}

/* Where the members of an archive go. */
struct unpacking {
    struct cifar *cifar;
    int split;
};

static enum sft_status take_member(void *context, struct archive *archive, struct archive_entry *entry)
{
    const struct unpacking *unpacking = context;
    int part = part_of_member(sft_archive_name(entry), unpacking->split);
    if (part < 0 || archive_entry_filetype(entry) != AE_IFREG) return SFT_OK;
    return read_member(archive, entry, unpacking->cifar, part);
}

static enum sft_status load_archive(struct cifar *cifar, const char *path, int split,
                                    struct sft_source *source)
{
    struct unpacking unpacking = {cifar, split};
    struct sft_bytes file;
    enum sft_status status;
    for (int i = 0; i < cifar->parts; i++) {
        cifar->paths[i] = sft_path_join(path, "%s", splits[split].files[i]); /* for messages */
        if (!cifar->paths[i]) return SFT_MEMORY;
    }
    SFT_TRY(sft_file_open(path, &file));
    status = sft_archive_each(&file, path, take_member, &unpacking);
    sft_file_close(&file);
    SFT_TRY(status);
    SFT_TRY(check_members(cifar, path, split, source));
    for (int i = 0; i < cifar->parts; i++) source->count += cifar->counts[i];
    return SFT_OK;
}

static enum sft_status pick_split(const char *path, const char *split, struct sft_source *source, int *out)
{
    *out = 0;
    if (!split[0]) return SFT_OK;
    for (*out = 0; *out < (int)(sizeof(splits) / sizeof(splits[0])); ++*out)
        if (strcmp(splits[*out].name, split) == 0) return SFT_OK;
    return sft_split_absent(source, SFT_USAGE, "cifar10:%s: unknown split #%s; CIFAR-10 has #train and #test",
                            path, split);
}

static struct cifar *new_state(struct sft_source *source, const char *const *class_names, int parts)
{
    struct cifar *cifar = sft_calloc(1, sizeof(*cifar));
    source->state = cifar;
    source->classes = CLASSES;
    if (!cifar) return NULL;
    cifar->class_names = class_names;
    cifar->parts = parts;
    return cifar;
}

/* Where the batches lie, as a path of its own: in PATH, in a folder or archive of the official name inside,
 * or in PATH as an archive (*archive). */
static enum sft_status locate(const char *path, const char *first_file, char **where, bool *archive)
{
    struct stat info;
    bool is_folder = stat(path, &info) == 0 && S_ISDIR(info.st_mode);
    char *inner = sft_path_join(path, "cifar-10-batches-bin");
    char *packed = sft_path_join(path, "cifar-10-binary.tar.gz");
    const char *found = path;
    *archive = !is_folder;
    if (inner && packed && is_folder && !holds(path, first_file)) {
        if (holds(inner, first_file))
            found = inner;
        else if ((*archive = access(packed, F_OK) == 0))
            found = packed;
    }
    *where = inner && packed ? sft_strdup(found) : NULL;
    free(inner);
    free(packed);
    return *where ? SFT_OK : SFT_MEMORY;
}

static enum sft_status open_cifar10(const char *path, const char *split, struct sft_source *source)
{
    enum sft_status status;
    char *where;
    bool archive;
    int number;
    struct cifar *cifar;
    SFT_TRY(pick_split(path, split, source, &number));
    cifar = new_state(source, cifar10_classes, splits[number].parts);
    if (!cifar) return SFT_MEMORY;
    SFT_TRY(locate(path, splits[number].files[0], &where, &archive));
    if (archive)
        status = load_archive(cifar, where, number, source);
    else if ((status = find_parts(cifar, where, number, source)) == SFT_OK)
        status = load_parts(cifar, source);
    free(where);
    return status;
}

static enum sft_status open_bin(const char *path, const char *split, struct sft_source *source)
{
    struct cifar *cifar = new_state(source, digits, 1);
    (void)split;
    if (!cifar) return SFT_MEMORY;
    cifar->paths[0] = sft_strdup(path);
    if (!cifar->paths[0]) return SFT_MEMORY;
    return load_parts(cifar, source);
}

static enum sft_status read_record(const void *state, int64_t i, struct sft_image *image, int *label)
{
    const struct cifar *cifar = state;
    const uint8_t *record;
    int part = 0;
    while (i >= cifar->counts[part]) i -= cifar->counts[part++];
    record = cifar->files[part].data + i * RECORD;
    SFT_TRY(sft_image_reserve(image, SIDE, SIDE, cifar->paths[part]));
    *label = record[0];
    for (int p = 0; p < PLANE; p++)
        for (int c = 0; c < 3; c++) image->rgb[3 * p + c] = record[1 + c * PLANE + p];
    return SFT_OK;
}

static const char *class_name(const void *state, int label)
{
    const struct cifar *cifar = state;
    return cifar->class_names[label];
}

/* The hashes of the parts, for threads. */
struct part_hashes {
    const struct cifar *cifar;
    char hex[MAX_PARTS][65];
};

static void hash_part(void *context, int64_t part, int slot)
{
    struct part_hashes *hashes = context;
    (void)slot;
    sft_sha256(hashes->cifar->files[part].data, hashes->cifar->files[part].size, hashes->hex[part]);
}

static void identity(const void *state, char hex[65])
{
    struct part_hashes hashes = {.cifar = state};
    sft_parallel_for(hashes.cifar->parts, hash_part, &hashes);
    sft_sha256(hashes.hex, sizeof(hashes.hex), hex);
}

static void close_cifar(void *state)
{
    struct cifar *cifar = state;
    for (int i = 0; i < MAX_PARTS; i++) {
        sft_unpacked_free(&cifar->files[i]);
        free(cifar->paths[i]);
    }
    free(cifar);
}

/* Other versions are claimed too, for the message that says so. */
static bool claims_cifar10(const struct sft_look *look)
{
    if (!look->is_folder)
        return sft_ends_with(look->path, "cifar-10-binary.tar.gz") ||
               sft_ends_with(look->path, "cifar-10-python.tar.gz") ||
               sft_ends_with(look->path, "cifar-100-python.tar.gz") ||
               sft_ends_with(look->path, "cifar-100-binary.tar.gz");
    if (holds(look->path, "data_batch_1.bin") || holds(look->path, "test_batch.bin")) return true;
    if (holds(look->path, "cifar-10-batches-bin") || holds(look->path, "cifar-10-binary.tar.gz")) return true;
    return other_version(look->path) != NULL;
}

static bool claims_bin(const struct sft_look *look)
{
    return !look->is_folder && (sft_ends_with(look->path, ".bin") || sft_ends_with(look->path, ".bin.xz") ||
                                sft_ends_with(look->path, ".bin.gz"));
}

const struct sft_format sft_format_cifar10 = {
    .name = "cifar10",
    .help = "cifar10:DIR       CIFAR-10, binary version: the folder of batches (plain, .gz or .xz) or the "
            ".tar.gz; "
            "#train (default), #test",
    .needs_path = true,
    .has_splits = true,
    .claims = claims_cifar10,
    .open = open_cifar10,
    .read = read_record,
    .class_name = class_name,
    .identity = identity,
    .close = close_cifar,
};

const struct sft_format sft_format_cifar_bin = {
    .name = "cifar-bin",
    .help = "cifar-bin:FILE    records as in CIFAR-10's binary version, plain, .gz or .xz",
    .needs_path = true,
    .claims = claims_bin,
    .open = open_bin,
    .read = read_record,
    .class_name = class_name,
    .identity = identity,
    .close = close_cifar,
};

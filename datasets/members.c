/* SPDX-License-Identifier: Apache-2.0 */
#include "datasets/members.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/base/alloc.h"

enum { NO_MEMBER = -1, MAX_LINKS = 40 };

/* ---- names ---- */

/* Appends the parts of `name` to the path in `out`, which has room: without ".", and with ".." taking the
 * last part away. False where that would lead out of the tar. */
static bool append_path(char *out, const char *name)
{
    size_t length = strlen(out);
    while (*name) {
        size_t part = strcspn(name, "/");
        if (part == 2 && name[0] == '.' && name[1] == '.') {
            char *slash = strrchr(out, '/');
            if (length == 0) return false;
            length = slash ? (size_t)(slash - out) : 0;
        } else if (part > 0 && !(part == 1 && name[0] == '.')) {
            if (length) out[length++] = '/';
            memcpy(out + length, name, part);
            length += part;
        }
        out[length] = '\0';
        name += part;
        while (*name == '/') name++;
    }
    return true;
}

/* The path of `name` as seen from the folder `from`, in memory of its own. *inside: it stays in the tar. */
static enum sft_status make_path(const char *from, const char *name, char **path, bool *inside)
{
    *path = sft_calloc(strlen(from) + strlen(name) + 2, 1);
    if (!*path) return SFT_MEMORY;
    *inside = append_path(*path, from) && append_path(*path, name);
    return SFT_OK;
}

/* Byte order in which a folder comes right before all that is in it. */
static int compare_paths(const char *a, const char *b)
{
    for (; *a && *a == *b; a++) b++;
    if (*a == *b) return 0;
    if (!*a || !*b) return *a ? 1 : -1;
    if (*a == '/' || *b == '/') return *a == '/' ? -1 : 1;
    return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

static int compare_members(const void *a, const void *b)
{
    const struct sft_member *x = a, *y = b;
    int order = compare_paths(x->name, y->name);
    return order ? order : (x->number > y->number) - (x->number < y->number);
}

static bool is_in(const char *name, const char *folder)
{
    size_t length = strlen(folder);
    return length == 0 ? name[0] != '\0' : strncmp(name, folder, length) == 0 && name[length] == '/';
}

/* ---- collecting ---- */

static enum sft_status append(struct sft_members *members, char *name, struct sft_member **member)
{
    enum sft_status status =
        sft_grow(&members->items, &members->capacity, members->count + 1, sizeof(members->items[0]));
    if (status != SFT_OK) {
        free(name);
        return status;
    }
    *member = &members->items[members->count++];
    **member = (struct sft_member){.name = name};
    return SFT_OK;
}

enum sft_status sft_members_add(struct sft_members *members, const char *name, struct sft_listing *listing,
                                struct sft_member **member)
{
    char *path;
    bool inside;
    *member = NULL;
    SFT_TRY(make_path("", name, &path, &inside));
    if (inside && path[0]) {
        SFT_TRY(append(members, path, member));
        (*member)->number = members->count;
        return SFT_OK;
    }
    free(path);
    members->names_top |= inside;
    return inside ? SFT_OK : sft_listing_leave(listing, SFT_LEFT_outside, name);
}

/* ---- sealing ---- */

static void sort(struct sft_members *members)
{
    qsort(members->items, members->count, sizeof(members->items[0]), compare_members);
}

/* Adds the folders above member i that the member sorted before it does not lie in. */
static enum sft_status add_folders_above(struct sft_members *members, size_t i)
{
    for (size_t length = 0; members->items[i].name[length]; length++) {
        struct sft_member *folder;
        char *name;
        if (members->items[i].name[length] != '/') continue;
        name = sft_calloc(length + 1, 1);
        if (!name) return SFT_MEMORY;
        memcpy(name, members->items[i].name, length);
        if (i > 0 && is_in(members->items[i - 1].name, name)) {
            free(name);
            continue;
        }
        SFT_TRY(append(members, name, &folder));
        folder->kind = SFT_MEMBER_FOLDER;
    }
    return SFT_OK;
}

static enum sft_status add_folders(struct sft_members *members)
{
    struct sft_member *top;
    char *name = sft_strdup("");
    size_t count = members->count;
    if (!name) return SFT_MEMORY;
    SFT_TRY(append(members, name, &top));
    top->kind = SFT_MEMBER_FOLDER;
    sort(members);
    for (size_t i = 0; i <= count; i++) SFT_TRY(add_folders_above(members, i));
    sort(members);
    return SFT_OK;
}

/* Of members first .. end-1, which have one name, only one stays: the last, but a folder where there are
 * files in it. */
static enum sft_status replace(struct sft_members *members, size_t first, size_t end,
                               struct sft_listing *listing)
{
    struct sft_member *items = members->items;
    bool has_files = items[first].number == 0;
    size_t stays = end - 1;
    if (has_files && items[stays].kind != SFT_MEMBER_FOLDER) stays = first;
    for (size_t i = first; i < end; i++) {
        items[i].gone = i != stays;
        if (!items[i].gone || items[i].kind == SFT_MEMBER_FOLDER) continue;
        if (sft_picture_by_name(items[i].name) != SFT_PICTURE_NONE)
            SFT_TRY(sft_listing_leave(listing, SFT_LEFT_replaced, items[i].name));
    }
    return SFT_OK;
}

/* The last member of this name that came before `number`. */
static int64_t find_before(const struct sft_members *members, const char *name, size_t number)
{
    size_t low = 0, high = members->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct sft_member *item = &members->items[middle];
        int order = compare_paths(item->name, name);
        if (order < 0 || (order == 0 && item->number < number))
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 && strcmp(members->items[low - 1].name, name) == 0 ? (int64_t)low - 1 : NO_MEMBER;
}

static int64_t find(const struct sft_members *members, const char *name)
{
    int64_t found = find_before(members, name, SIZE_MAX);
    while (found > 0 && members->items[found].gone) found--; /* the one that stays has the same name */
    return found;
}

/* Gives a hard link the content of the member that it is a link to, as that was when the link was packed. */
static enum sft_status tie(struct sft_members *members, size_t i)
{
    struct sft_member *link = &members->items[i];
    size_t number = link->number;
    char *path;
    bool inside;
    SFT_TRY(make_path("", link->target, &path, &inside));
    while (inside && link->kind == SFT_MEMBER_HARD_LINK) {
        int64_t found = find_before(members, path, number);
        const struct sft_member *to = found == NO_MEMBER ? NULL : &members->items[found];
        bool again = to && to->kind == SFT_MEMBER_HARD_LINK;
        if (!to || to->kind == SFT_MEMBER_FOLDER || to->number == 0) break;
        number = to->number;
        free(path);
        path = NULL;
        SFT_TRY(make_path("", again ? to->target : "", &path, &inside));
        if (again) continue;
        link->kind = to->kind;
        link->size = to->size;
        link->data = to->data;
        link->kept = to->kept;
        if (to->kind != SFT_MEMBER_LINK) continue;
        free(link->target);
        link->target = sft_strdup(to->target);
        if (!link->target) {
            free(path);
            return SFT_MEMORY;
        }
    }
    free(path);
    return SFT_OK;
}

enum sft_status sft_members_seal(struct sft_members *members, struct sft_listing *listing)
{
    SFT_TRY(add_folders(members));
    for (size_t first = 0, end; first < members->count; first = end) {
        end = first + 1;
        while (end < members->count && strcmp(members->items[end].name, members->items[first].name) == 0)
            end++;
        SFT_TRY(replace(members, first, end, listing));
    }
    for (size_t i = 0; i < members->count; i++)
        if (members->items[i].kind == SFT_MEMBER_HARD_LINK) SFT_TRY(tie(members, i));
    return SFT_OK;
}

/* ---- the tree ---- */

/* A way to a member: from the folder at `path`, which has no links in it, along `rest`. */
struct way {
    char *path, *rest;
    int links; /* that it went through */
    bool lost; /* it leads nowhere */
};

/* Goes on where the symbolic link at the end of the path leads. */
static enum sft_status follow(struct way *way, const struct sft_member *link)
{
    size_t room = strlen(link->target) + strlen(way->rest) + 2;
    char *rest = sft_calloc(room, 1), *slash = strrchr(way->path, '/');
    if (!rest) return SFT_MEMORY;
    strcat(strcat(strcpy(rest, link->target), "/"), way->rest);
    free(way->rest);
    way->rest = rest;
    *(slash ? slash : way->path) = '\0';
    way->lost = link->target[0] == '/' || ++way->links > MAX_LINKS;
    return SFT_OK;
}

/* Goes one name further. */
static enum sft_status step(const struct sft_members *members, struct way *way)
{
    size_t length = strcspn(way->rest, "/");
    char *name = way->rest, *path;
    bool last = !name[length];
    int64_t found;
    name[length] = '\0';
    SFT_TRY(make_path(way->path, name, &path, &way->lost));
    way->lost = !way->lost;
    free(way->path);
    way->path = path;
    memmove(way->rest, name + length + !last, strlen(name + length + !last) + 1);
    if (way->lost) return SFT_OK;
    found = find(members, path);
    way->lost = found == NO_MEMBER;
    if (way->lost || members->items[found].kind == SFT_MEMBER_FOLDER) return SFT_OK;
    if (members->items[found].kind == SFT_MEMBER_LINK) return follow(way, &members->items[found]);
    way->lost = strspn(way->rest, "/.") < strlen(way->rest); /* a file is no folder */
    return SFT_OK;
}

/* The member that a name leads to in the end, through symbolic links; NO_MEMBER where it leads nowhere. */
static enum sft_status resolve(const struct sft_members *members, const char *name, int64_t *member)
{
    struct way way = {.path = sft_strdup(""), .rest = sft_strdup(name)};
    enum sft_status status = way.path && way.rest ? SFT_OK : SFT_MEMORY;
    while (status == SFT_OK && !way.lost && way.rest[0]) status = step(members, &way);
    *member = status == SFT_OK && !way.lost ? find(members, way.path) : NO_MEMBER;
    free(way.path);
    free(way.rest);
    return status;
}

static struct sft_entry entry_of(const struct sft_members *members, int64_t number)
{
    const struct sft_member *member = number == NO_MEMBER ? NULL : &members->items[number];
    struct sft_entry entry = {.kind = SFT_ENTRY_NOWHERE};
    if (!member || member->kind == SFT_MEMBER_LINK || member->kind == SFT_MEMBER_HARD_LINK) return entry;
    entry.kind = member->kind == SFT_MEMBER_FOLDER ? SFT_ENTRY_FOLDER : SFT_ENTRY_FILE;
    entry.id[0] = entry.mark = (size_t)number;
    entry.size = member->size;
    return entry;
}

static enum sft_status add_entry(const struct sft_members *members, size_t i, const char *base,
                                 struct sft_entries *entries)
{
    int64_t number = (int64_t)i;
    struct sft_entry entry;
    if (members->items[i].kind == SFT_MEMBER_LINK) SFT_TRY(resolve(members, members->items[i].name, &number));
    entry = entry_of(members, number);
    return sft_entries_add(entries, &entry, base);
}

static enum sft_status list_members(const void *context, const char *path, const struct sft_entry *folder,
                                    struct sft_entries *entries)
{
    const struct sft_members *members = context;
    const char *name = members->items[folder->mark].name;
    size_t skip = name[0] ? strlen(name) + 1 : 0;
    (void)path;
    for (size_t i = folder->mark + 1; i < members->count; i++) {
        const struct sft_member *item = &members->items[i];
        if (strcmp(item->name, name) == 0) continue;
        if (!is_in(item->name, name)) break;
        if (!item->gone && !strchr(item->name + skip, '/'))
            SFT_TRY(add_entry(members, i, item->name + skip, entries));
    }
    return SFT_OK;
}

static size_t sniff_member(const void *context, const char *path, const struct sft_entry *file,
                           uint8_t head[SFT_HEAD])
{
    const struct sft_members *members = context;
    const struct sft_member *member = &members->items[file->mark];
    size_t size = member->kept < SFT_HEAD ? member->kept : SFT_HEAD;
    (void)path;
    if (size) memcpy(head, member->data, size);
    return size;
}

struct sft_tree sft_members_tree(const struct sft_members *members)
{
    return (struct sft_tree){.context = members, .list = list_members, .sniff = sniff_member};
}

/* The one folder at the top of the tar; NO_MEMBER where there is more than that. */
static int64_t lone_folder(const struct sft_members *members)
{
    int64_t found = NO_MEMBER;
    for (size_t i = 0; i < members->count; i++) {
        const struct sft_member *item = &members->items[i];
        if (!item->name[0] || item->gone || strchr(item->name, '/') || sft_is_debris(item->name)) continue;
        if (found != NO_MEMBER || item->kind != SFT_MEMBER_FOLDER) return NO_MEMBER;
        found = (int64_t)i;
    }
    return found;
}

bool sft_members_top(const struct sft_members *members, const char *split, struct sft_entry *top,
                     const char **path)
{
    int64_t found = members->names_top ? NO_MEMBER : lone_folder(members);
    if (found == NO_MEMBER) found = find(members, "");
    if (split[0]) {
        const char *name = members->items[found].name;
        size_t length = strlen(name);
        for (found = (int64_t)members->count - 1; found >= 0; found--) {
            const struct sft_member *item = &members->items[found];
            if (item->gone || item->kind != SFT_MEMBER_FOLDER || !is_in(item->name, name)) continue;
            if (strcmp(item->name + length + (length > 0), split) == 0) break;
        }
        if (found < 0) return false;
    }
    *top = entry_of(members, found);
    *path = members->items[found].name;
    return true;
}

void sft_members_free(struct sft_members *members)
{
    for (size_t i = 0; i < members->count; i++) {
        free(members->items[i].name);
        free(members->items[i].target);
        free(members->items[i].memory);
    }
    free(members->items);
    memset(members, 0, sizeof(*members));
}

// SPDX-License-Identifier: Apache-2.0
#include "tests/support/journal_memory_io.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SECTOR 512u
#define FDS    256

struct image {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

/* A change of a file that has not reached the platter. */
struct change {
    size_t offset;
    size_t len;
    uint8_t *data; /* NULL: the file's size becomes offset + len, at least or exactly */
    bool exact;
};

struct inode {
    bool is_dir;
    bool is_locked;
    struct image cache;
    struct image platter;
    struct change *changes;
    size_t change_count;
    size_t change_capacity;
};

struct name {
    char path[96];
    int cached; /* inode, -1: absent */
    int platter;
};

struct descriptor {
    int inode; /* -1: free */
    bool sync_failed;
    char path[96]; /* of a folder */
};

struct memory_disk {
    struct journal_io io;
    struct inode *inodes;
    size_t inode_count, inode_capacity;
    struct name *names;
    size_t name_count, name_capacity;
    struct descriptor fds[FDS];
    enum fault fault;
    unsigned fault_calls;
    uint64_t fault_at;
    bool fault_sticky;
    bool struck;
    bool power_off;
    bool cache_only;
    uint64_t power_after;
    bool next_write_full;
    uint64_t calls;
    uint64_t matching;
    uint64_t counts[16];
    uint64_t repeated_syncs;
    void (*hook)(void *arg);
    void *hook_arg;
    struct memory_chance chances[MEMORY_CHANCES_MAX];
    size_t chance_count;
    uint64_t random;
    struct memory_tally tally;
};

static void image_resize(struct image *image, size_t size)
{
    if (size > image->capacity) {
        image->data = mem_realloc(image->data, size);
        image->capacity = size;
    }
    if (size > image->size)
        memset(image->data + image->size, 0, size - image->size);
    image->size = size;
}

static void image_write(struct image *image, size_t offset, const void *data, size_t len)
{
    if (offset + len > image->size)
        image_resize(image, offset + len);
    if (len > 0)
        memcpy(image->data + offset, data, len);
}

static void image_copy(struct image *to, const struct image *from)
{
    to->size = 0;
    image_write(to, 0, from->data, from->size);
}

static int fail(int number)
{
    errno = number;
    return -1;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* 0: go on; 1: transfer half; -1: failed with errno. A call that the fault does not
 * concern goes on. */
static int apply(struct memory_disk *disk, enum fault fault, enum call call)
{
    const unsigned space =
        CALL_OPEN | CALL_MKDIR | CALL_WRITE | CALL_RESERVE | CALL_RENAME;
    bool transfers = call == CALL_READ || call == CALL_WRITE;
    switch (fault) {
    case FAULT_NONE:
    case FAULT_COUNT:
        return 0;
    case FAULT_EIO:
        return fail(EIO);
    case FAULT_EINTR:
        return fail(EINTR);
    case FAULT_UNSUPPORTED:
        return fail(EOPNOTSUPP);
    case FAULT_EMFILE:
        return call == CALL_OPEN ? fail(EMFILE) : 0;
    case FAULT_ENOSPC:
        return (space & call) != 0 ? fail(ENOSPC) : 0;
    case FAULT_SHORT_ENOSPC:
        disk->next_write_full = call == CALL_WRITE;
        return transfers ? 1 : 0;
    case FAULT_SHORT:
        return transfers ? 1 : 0;
    case FAULT_POWER:
        disk->power_off = true;
        return fail(EIO);
    }
    return 0;
}

static int strike(struct memory_disk *disk, enum fault fault, enum call call)
{
    disk->struck = true;
    if (disk->hook != NULL)
        disk->hook(disk->hook_arg);
    int how = apply(disk, fault, call);
    if (how != 0) {
        disk->tally.strikes[fault]++;
        disk->tally.sync_strikes += call == CALL_SYNC;
        disk->tally.read_strikes += call == CALL_READ && fault == FAULT_EIO;
    }
    return how;
}

/* Whether the fault that was ordered strikes now. */
static bool is_due(struct memory_disk *disk, enum call call)
{
    if ((disk->fault_calls & call) == 0)
        return false;
    disk->matching++;
    return disk->fault != FAULT_NONE &&
           (disk->matching == disk->fault_at ||
            (disk->fault_sticky && disk->matching > disk->fault_at));
}

static enum fault by_chance(struct memory_disk *disk, enum call call)
{
    for (size_t i = 0; i < disk->chance_count; i++) {
        const struct memory_chance *row = &disk->chances[i];
        if ((row->calls & call) != 0 &&
            (double)(next_random(&disk->random) >> 11) * 0x1p-53 < row->chance)
            return row->fault;
    }
    return FAULT_NONE;
}

/* 0: go on; 1: transfer half; -1: failed with errno. */
static int enter(struct memory_disk *disk, enum call call)
{
    disk->calls++;
    if (disk->struck && disk->power_after > 0 && --disk->power_after == 0)
        disk->power_off = true;
    if (disk->power_off)
        return fail(EIO);
    if (call == CALL_WRITE && disk->next_write_full) {
        disk->next_write_full = disk->fault == FAULT_SHORT_ENOSPC && disk->fault_sticky;
        return fail(ENOSPC);
    }
    enum fault fault = is_due(disk, call) ? disk->fault : by_chance(disk, call);
    if (fault != FAULT_NONE) {
        int how = strike(disk, fault, call);
        if (how != 0)
            return how;
    }
    for (unsigned bit = 0; bit < 15; bit++)
        if (call == 1u << bit)
            disk->counts[bit]++;
    return 0;
}

static void add_change(const struct memory_disk *disk, struct inode *inode,
                       const struct change *change)
{
    if (disk->cache_only)
        return;
    mem_grow(&inode->changes, &inode->change_capacity, inode->change_count + 1,
             sizeof *inode->changes);
    inode->changes[inode->change_count++] = *change;
}

static void drop_changes(struct inode *inode)
{
    for (size_t i = 0; i < inode->change_count; i++)
        free(inode->changes[i].data);
    inode->change_count = 0;
}

static void resize_by(struct image *image, const struct change *change)
{
    size_t size = change->offset + change->len;
    if (change->exact || size > image->size)
        image_resize(image, size);
}

static void make_path(const struct memory_disk *disk, int dir, const char *name,
                      char path[96])
{
    if (strcmp(name, ".") == 0)
        name = "";
    int len = dir == AT_FDCWD ? snprintf(path, 96, "%s", name)
                              : snprintf(path, 96, "%s/%s", disk->fds[dir].path, name);
    assert(len < 96 && "paths of tests are short");
    (void)len;
}

static struct name *find_name(const struct memory_disk *disk, const char *path)
{
    for (size_t i = 0; i < disk->name_count; i++)
        if (strcmp(disk->names[i].path, path) == 0)
            return &disk->names[i];
    return NULL;
}

static struct name *add_name(struct memory_disk *disk, const char *path)
{
    struct name *name = find_name(disk, path);
    if (name != NULL)
        return name;
    mem_grow(&disk->names, &disk->name_capacity, disk->name_count + 1,
             sizeof *disk->names);
    name = &disk->names[disk->name_count++];
    *name = (struct name){.cached = -1, .platter = -1};
    snprintf(name->path, sizeof name->path, "%s", path);
    return name;
}

static int add_inode(struct memory_disk *disk, bool is_dir)
{
    mem_grow(&disk->inodes, &disk->inode_capacity, disk->inode_count + 1,
             sizeof *disk->inodes);
    disk->inodes[disk->inode_count] = (struct inode){.is_dir = is_dir};
    return (int)disk->inode_count++;
}

static int add_descriptor(struct memory_disk *disk, int inode, const char *path)
{
    for (int fd = 3; fd < FDS; fd++)
        if (disk->fds[fd].inode < 0) {
            disk->fds[fd] = (struct descriptor){.inode = inode};
            snprintf(disk->fds[fd].path, sizeof disk->fds[fd].path, "%s", path);
            return fd;
        }
    return fail(EMFILE);
}

static int memory_openat(void *context, int dir, const char *text, int flags, mode_t mode)
{
    struct memory_disk *disk = context;
    (void)mode;
    if (enter(disk, CALL_OPEN) != 0)
        return -1;
    char path[96];
    make_path(disk, dir, text, path);
    if (path[0] == '\0')
        return add_descriptor(disk, 0, "");
    struct name *name = find_name(disk, path);
    if (name != NULL && name->cached >= 0 && (flags & O_EXCL) != 0)
        return fail(EEXIST);
    if (name == NULL || name->cached < 0) {
        if ((flags & O_CREAT) == 0)
            return fail(ENOENT);
        name = add_name(disk, path);
        name->cached = add_inode(disk, false);
    }
    struct inode *inode = &disk->inodes[name->cached];
    if ((flags & O_TRUNC) != 0) {
        image_resize(&inode->cache, 0);
        add_change(disk, inode, &(struct change){.exact = true});
    }
    return add_descriptor(disk, name->cached, path);
}

static int memory_mkdirat(void *context, int dir, const char *text, mode_t mode)
{
    struct memory_disk *disk = context;
    (void)mode;
    if (enter(disk, CALL_MKDIR) != 0)
        return -1;
    char path[96];
    make_path(disk, dir, text, path);
    struct name *name = find_name(disk, path);
    if (name != NULL && name->cached >= 0)
        return fail(EEXIST);
    name = add_name(disk, path);
    name->cached = add_inode(disk, true);
    return 0;
}

static int memory_renameat(void *context, int from_dir, const char *from, int to_dir,
                           const char *to)
{
    struct memory_disk *disk = context;
    if (enter(disk, CALL_RENAME) != 0)
        return -1;
    char path[96];
    make_path(disk, from_dir, from, path);
    struct name *name = find_name(disk, path);
    if (name == NULL || name->cached < 0)
        return fail(ENOENT);
    int inode = name->cached;
    name->cached = -1;
    make_path(disk, to_dir, to, path);
    add_name(disk, path)->cached = inode;
    return 0;
}

static int memory_unlinkat(void *context, int dir, const char *text)
{
    struct memory_disk *disk = context;
    if (enter(disk, CALL_UNLINK) != 0)
        return -1;
    char path[96];
    make_path(disk, dir, text, path);
    struct name *name = find_name(disk, path);
    if (name == NULL || name->cached < 0)
        return fail(ENOENT);
    name->cached = -1;
    return 0;
}

/* The part of a path below a folder, when it is directly in it. */
static const char *name_in(const char *folder, const char *path)
{
    size_t len = strlen(folder);
    const char *rest = path;
    if (len > 0) {
        if (strncmp(path, folder, len) != 0 || path[len] != '/')
            return NULL;
        rest = path + len + 1;
    }
    return strchr(rest, '/') == NULL ? rest : NULL;
}

static int memory_list(void *context, int dir, void (*each)(void *arg, const char *name),
                       void *arg)
{
    struct memory_disk *disk = context;
    if (enter(disk, CALL_LIST) != 0)
        return -1;
    for (size_t i = 0; i < disk->name_count; i++) {
        const char *name = name_in(disk->fds[dir].path, disk->names[i].path);
        if (name != NULL && disk->names[i].cached >= 0)
            each(arg, name);
    }
    return 0;
}

static struct inode *inode_of(struct memory_disk *disk, int fd)
{
    assert(fd >= 3 && fd < FDS && disk->fds[fd].inode >= 0 && "descriptor is open");
    return &disk->inodes[disk->fds[fd].inode];
}

static ssize_t memory_pread(void *context, int fd, void *data, size_t len, off_t at)
{
    struct memory_disk *disk = context;
    int how = enter(disk, CALL_READ);
    if (how < 0)
        return -1;
    const struct image *image = &inode_of(disk, fd)->cache;
    size_t offset = (size_t)at;
    if (offset >= image->size)
        return 0;
    len = image->size - offset < len ? image->size - offset : len;
    len = how == 1 && len > 1 ? len / 2 : len;
    memcpy(data, image->data + offset, len);
    return (ssize_t)len;
}

static ssize_t memory_pwrite(void *context, int fd, const void *data, size_t len,
                             off_t at)
{
    struct memory_disk *disk = context;
    int how = enter(disk, CALL_WRITE);
    if (how < 0)
        return -1;
    len = how == 1 && len > 1 ? len / 2 : len;
    struct inode *inode = inode_of(disk, fd);
    image_write(&inode->cache, (size_t)at, data, len);
    if (!disk->cache_only)
        add_change(disk, inode,
                   &(struct change){
                       .offset = (size_t)at, .len = len, .data = mem_dup(data, len)});
    return (ssize_t)len;
}

static int memory_fdatasync(void *context, int fd)
{
    struct memory_disk *disk = context;
    struct descriptor *descriptor = &disk->fds[fd];
    if (descriptor->sync_failed)
        disk->repeated_syncs++;
    struct inode *inode = inode_of(disk, fd);
    if (enter(disk, CALL_SYNC) != 0) {
        descriptor->sync_failed = true;
        if (!disk->power_off)
            drop_changes(inode); /* marked clean, and lost */
        return -1;
    }
    for (size_t i = 0; i < inode->change_count; i++) {
        const struct change *change = &inode->changes[i];
        if (change->data == NULL)
            resize_by(&inode->platter, change);
        else
            image_write(&inode->platter, change->offset, change->data, change->len);
    }
    drop_changes(inode);
    return 0;
}

static int memory_fsync_dir(void *context, int dir)
{
    struct memory_disk *disk = context;
    if (enter(disk, CALL_SYNC_DIR) != 0)
        return -1;
    for (size_t i = 0; i < disk->name_count; i++)
        if (name_in(disk->fds[dir].path, disk->names[i].path) != NULL)
            disk->names[i].platter = disk->names[i].cached;
    return 0;
}

static int memory_ftruncate(void *context, int fd, off_t len)
{
    struct memory_disk *disk = context;
    if (enter(disk, CALL_TRUNCATE) != 0)
        return -1;
    struct inode *inode = inode_of(disk, fd);
    struct change change = {.offset = (size_t)len, .exact = true};
    resize_by(&inode->cache, &change);
    add_change(disk, inode, &change);
    return 0;
}

static int memory_fallocate(void *context, int fd, off_t offset, off_t len)
{
    struct memory_disk *disk = context;
    if (enter(disk, CALL_RESERVE) != 0)
        return -1;
    struct inode *inode = inode_of(disk, fd);
    struct change change = {.offset = (size_t)offset, .len = (size_t)len};
    resize_by(&inode->cache, &change);
    add_change(disk, inode, &change);
    return 0;
}

/* By sectors, as far as they are all zero. */
static off_t memory_seek_data(void *context, int fd, off_t offset)
{
    struct memory_disk *disk = context;
    if (enter(disk, CALL_SEEK) != 0)
        return -1;
    const struct image *image = &inode_of(disk, fd)->cache;
    static const uint8_t zeros[SECTOR];
    for (size_t at = (size_t)offset; at < image->size;) {
        size_t end = (at / SECTOR + 1) * SECTOR;
        end = end < image->size ? end : image->size;
        if (memcmp(image->data + at, zeros, end - at) != 0)
            return (off_t)at;
        at = end;
    }
    return fail(ENXIO);
}

static off_t memory_size(void *context, int fd)
{
    struct memory_disk *disk = context;
    if (enter(disk, CALL_SIZE) != 0)
        return -1;
    return (off_t)inode_of(disk, fd)->cache.size;
}

static int memory_lock(void *context, int fd)
{
    struct memory_disk *disk = context;
    if (enter(disk, CALL_LOCK) != 0)
        return -1;
    struct inode *inode = inode_of(disk, fd);
    if (inode->is_locked)
        return fail(EWOULDBLOCK);
    inode->is_locked = true;
    return 0;
}

/* The lock goes with the only descriptor that is ever opened on a lock file. */
static int memory_close(void *context, int fd)
{
    struct memory_disk *disk = context;
    int how = enter(disk, CALL_CLOSE);
    struct inode *inode = inode_of(disk, fd);
    if (inode->is_locked && strstr(disk->fds[fd].path, "lock") != NULL)
        inode->is_locked = false;
    disk->fds[fd].inode = -1;
    return how < 0 ? -1 : 0;
}

struct memory_disk *memory_disk_create(void)
{
    struct memory_disk *disk = mem_alloc(sizeof *disk);
    disk->io = (struct journal_io){
        .context = disk,
        .openat = memory_openat,
        .mkdirat = memory_mkdirat,
        .renameat = memory_renameat,
        .unlinkat = memory_unlinkat,
        .list = memory_list,
        .pread = memory_pread,
        .pwrite = memory_pwrite,
        .fdatasync = memory_fdatasync,
        .fsync_dir = memory_fsync_dir,
        .ftruncate = memory_ftruncate,
        .fallocate = memory_fallocate,
        .seek_data = memory_seek_data,
        .size = memory_size,
        .lock = memory_lock,
        .close = memory_close,
    };
    for (int fd = 0; fd < FDS; fd++)
        disk->fds[fd].inode = -1;
    add_inode(disk, true); /* the root */
    return disk;
}

static void inode_fini(struct inode *inode)
{
    drop_changes(inode);
    free(inode->changes);
    free(inode->cache.data);
    free(inode->platter.data);
}

void memory_disk_destroy(struct memory_disk *disk)
{
    if (disk == NULL)
        return;
    for (size_t i = 0; i < disk->inode_count; i++)
        inode_fini(&disk->inodes[i]);
    free(disk->inodes);
    free(disk->names);
    free(disk);
}

struct memory_disk *memory_disk_dup(const struct memory_disk *disk)
{
    struct memory_disk *copy = memory_disk_create();
    copy->cache_only = disk->cache_only;
    for (size_t i = 0; i < disk->name_count; i++) {
        const struct name *name = &disk->names[i];
        if (name->cached < 0)
            continue;
        const struct inode *inode = &disk->inodes[name->cached];
        int made = add_inode(copy, inode->is_dir);
        image_copy(&copy->inodes[made].cache, &inode->cache);
        if (!disk->cache_only)
            image_copy(&copy->inodes[made].platter, &inode->cache);
        struct name *added = add_name(copy, name->path);
        added->cached = added->platter = made;
    }
    return copy;
}

void memory_disk_without_platter(struct memory_disk *disk)
{
    disk->cache_only = true;
}

const struct journal_io *memory_disk_io(struct memory_disk *disk)
{
    return &disk->io;
}

void memory_disk_fault(struct memory_disk *disk, enum fault fault, unsigned calls,
                       uint64_t at, bool sticky)
{
    disk->fault = fault;
    disk->fault_calls = calls;
    disk->fault_at = at;
    disk->fault_sticky = sticky;
    disk->struck = false;
    disk->next_write_full = false;
    disk->matching = 0;
    disk->calls = 0;
}

void memory_disk_on_fault(struct memory_disk *disk, void (*hook)(void *arg), void *arg)
{
    disk->hook = hook;
    disk->hook_arg = arg;
}

void memory_disk_power_after(struct memory_disk *disk, uint64_t n)
{
    disk->power_after = n;
}

void memory_disk_chances(struct memory_disk *disk, uint64_t seed,
                         const struct memory_chance *chances, size_t count)
{
    assert(count <= MEMORY_CHANCES_MAX);
    for (size_t i = 0; i < count; i++)
        disk->chances[i] = chances[i];
    disk->chance_count = count;
    disk->random = seed * 2654435761u + 88172645463325252u;
}

const struct memory_tally *memory_disk_tally(const struct memory_disk *disk)
{
    return &disk->tally;
}

bool memory_disk_struck(const struct memory_disk *disk)
{
    return disk->struck;
}

uint64_t memory_disk_calls(const struct memory_disk *disk)
{
    return disk->calls;
}

uint64_t memory_disk_matching(const struct memory_disk *disk)
{
    return disk->matching;
}

uint64_t memory_disk_count(const struct memory_disk *disk, enum call call)
{
    uint64_t count = 0;
    for (unsigned bit = 0; bit < 15; bit++)
        if ((call & 1u << bit) != 0)
            count += disk->counts[bit];
    return count;
}

uint64_t memory_disk_repeated_syncs(const struct memory_disk *disk)
{
    return disk->repeated_syncs;
}

void memory_disk_stop(struct memory_disk *disk)
{
    disk->power_off = true;
}

/* Some sectors of a write reach the platter. */
static void settle_write(struct memory_disk *disk, struct inode *inode,
                         const struct change *change, uint64_t *state, bool *lost_one)
{
    size_t kept = 0, sectors = 0;
    for (size_t at = 0; at < change->len; sectors++) {
        size_t end = ((change->offset + at) / SECTOR + 1) * SECTOR - change->offset;
        end = end < change->len ? end : change->len;
        if ((next_random(state) & 1) != 0) {
            image_write(&inode->platter, change->offset + at, change->data + at,
                        end - at);
            kept++;
        }
        at = end;
    }
    disk->tally.writes_lost += kept == 0;
    disk->tally.writes_torn += kept > 0 && kept < sectors;
    disk->tally.writes_reordered += kept > 0 && *lost_one;
    *lost_one = *lost_one || kept < sectors;
}

/* Each sector of each write reaches the platter or does not. */
static void settle_some(struct memory_disk *disk, struct inode *inode, uint64_t *state)
{
    bool lost_one = false;
    for (size_t i = 0; i < inode->change_count; i++) {
        const struct change *change = &inode->changes[i];
        if (change->data != NULL)
            settle_write(disk, inode, change, state, &lost_one);
        else if ((next_random(state) & 1) != 0)
            resize_by(&inode->platter, change);
    }
}

/* Without its folder a name cannot be reached. */
static void drop_orphan(const struct memory_disk *disk, struct name *name)
{
    char folder[96];
    snprintf(folder, sizeof folder, "%s", name->path);
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        return;
    *slash = '\0';
    const struct name *above = find_name(disk, folder);
    if (above == NULL || above->cached < 0)
        name->cached = name->platter = -1;
}

void memory_disk_crash(struct memory_disk *disk, enum survival survival, uint64_t seed)
{
    uint64_t state = seed * 2654435761u + 88172645463325252u;
    for (size_t i = 0; i < disk->inode_count; i++) {
        struct inode *inode = &disk->inodes[i];
        inode->is_locked = false;
        if (survival == SURVIVE_SOME)
            settle_some(disk, inode, &state);
        else if (survival == SURVIVE_SYNCED)
            disk->tally.writes_lost += inode->change_count;
        if (survival == SURVIVE_ALL || disk->cache_only)
            continue; /* the cache lives on, and what it still owes the platter */
        drop_changes(inode);
        image_copy(&inode->cache, &inode->platter);
    }
    for (size_t i = 0; i < disk->name_count && survival != SURVIVE_ALL; i++) {
        struct name *name = &disk->names[i];
        if (survival == SURVIVE_SOME && (next_random(&state) & 1) != 0)
            name->platter = name->cached;
        disk->tally.names_lost += name->cached != name->platter;
        name->cached = name->platter;
    }
    for (size_t i = 0; i < disk->name_count; i++)
        drop_orphan(disk, &disk->names[i]);
    for (int fd = 0; fd < FDS; fd++)
        disk->fds[fd].inode = -1;
    disk->power_off = false;
    disk->power_after = 0;
    disk->chance_count = 0;
    memory_disk_fault(disk, FAULT_NONE, 0, 0, false);
}

uint8_t *memory_disk_bytes(struct memory_disk *disk, const char *path, size_t *size)
{
    struct name *name = find_name(disk, path);
    if (name == NULL || name->cached < 0)
        return NULL;
    *size = disk->inodes[name->cached].cache.size;
    return disk->inodes[name->cached].cache.data;
}

void memory_disk_resize(struct memory_disk *disk, const char *path, size_t size)
{
    struct name *name = find_name(disk, path);
    assert(name != NULL && name->cached >= 0);
    struct inode *inode = &disk->inodes[name->cached];
    image_resize(&inode->cache, size);
    image_copy(&inode->platter, &inode->cache);
    drop_changes(inode);
}

const char *memory_disk_name(const struct memory_disk *disk, const char *folder, size_t n)
{
    for (size_t i = 0; i < disk->name_count; i++) {
        const char *name = name_in(folder, disk->names[i].path);
        if (name != NULL && disk->names[i].cached >= 0 && n-- == 0)
            return name;
    }
    return NULL;
}

#include "ke/limit.h"

/*
 * How the opens of one thing share it: counts of who reads, writes and deletes, and of who lets
 * others do so. The driver keeps the counts and guards them.
 */

static void set_wishes(PFILE_OBJECT file, ACCESS_MASK access, ULONG share)
{
    file->ReadAccess = (access & (FILE_READ_DATA | FILE_EXECUTE)) != 0;
    file->WriteAccess = (access & (FILE_WRITE_DATA | FILE_APPEND_DATA)) != 0;
    file->DeleteAccess = (access & DELETE) != 0;
    file->SharedRead = (share & FILE_SHARE_READ) != 0;
    file->SharedWrite = (share & FILE_SHARE_WRITE) != 0;
    file->SharedDelete = (share & FILE_SHARE_DELETE) != 0;
}

/* An open that neither reads, writes nor deletes does not count. */
static bool counts(const FILE_OBJECT *file)
{
    return file->ReadAccess || file->WriteAccess || file->DeleteAccess;
}

static void add(PSHARE_ACCESS total, const FILE_OBJECT *file, LONG change)
{
    if (!counts(file)) {
        return;
    }
    total->OpenCount += (ULONG)change;
    total->Readers += file->ReadAccess ? (ULONG)change : 0;
    total->Writers += file->WriteAccess ? (ULONG)change : 0;
    total->Deleters += file->DeleteAccess ? (ULONG)change : 0;
    total->SharedRead += file->SharedRead ? (ULONG)change : 0;
    total->SharedWrite += file->SharedWrite ? (ULONG)change : 0;
    total->SharedDelete += file->SharedDelete ? (ULONG)change : 0;
}

static bool is_allowed(const SHARE_ACCESS *total, const FILE_OBJECT *file)
{
    ULONG opens = total->OpenCount;
    bool others_allow = (!file->ReadAccess || total->SharedRead == opens) &&
                        (!file->WriteAccess || total->SharedWrite == opens) &&
                        (!file->DeleteAccess || total->SharedDelete == opens);
    bool allows_others = (file->SharedRead || total->Readers == 0) &&
                         (file->SharedWrite || total->Writers == 0) &&
                         (file->SharedDelete || total->Deleters == 0);
    return others_allow && allows_others;
}

/*
 * Says whether one more open goes with those before, and counts it if Update.
 * STATUS_SHARING_VIOLATION. PASSIVE_LEVEL.
 */
NTSTATUS IoCheckShareAccess(ACCESS_MASK DesiredAccess, ULONG DesiredShareAccess,
                            PFILE_OBJECT FileObject, PSHARE_ACCESS ShareAccess, BOOLEAN Update)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    set_wishes(FileObject, DesiredAccess, DesiredShareAccess);
    if (counts(FileObject) && !is_allowed(ShareAccess, FileObject)) {
        return STATUS_SHARING_VIOLATION;
    }
    if (Update) {
        add(ShareAccess, FileObject, 1);
    }
    return STATUS_SUCCESS;
}

/* Starts the counts with a first open. PASSIVE_LEVEL. */
VOID IoSetShareAccess(ACCESS_MASK DesiredAccess, ULONG DesiredShareAccess, PFILE_OBJECT FileObject,
                      PSHARE_ACCESS ShareAccess)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    set_wishes(FileObject, DesiredAccess, DesiredShareAccess);
    *ShareAccess = (SHARE_ACCESS){.OpenCount = 0};
    add(ShareAccess, FileObject, 1);
}

/* Counts an open that IoCheckShareAccess allowed without Update. PASSIVE_LEVEL. */
VOID IoUpdateShareAccess(PFILE_OBJECT FileObject, PSHARE_ACCESS ShareAccess)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    add(ShareAccess, FileObject, 1);
}

/* Takes an open off the counts. PASSIVE_LEVEL. */
VOID IoRemoveShareAccess(PFILE_OBJECT FileObject, PSHARE_ACCESS ShareAccess)
{
    KE_IRQL_EXACTLY(PASSIVE_LEVEL);
    add(ShareAccess, FileObject, -1);
}

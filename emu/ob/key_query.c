#include "ob/key_query.h"

#include <stdlib.h>
#include <string.h>

#define NO_OFFSET ((ULONG)-1)
#define ALIGN(value, to) (((value) + (to)-1) & ~((to)-1))

/* Where an answer goes. */
struct answer {
    UCHAR *buffer;
    ULONG length;
    ULONG fixed;  /* bytes of the part that must fit */
    ULONG needed; /* bytes of all */
};

/* Writes what fits; nothing if the fixed part does not. */
static void put(const struct answer *answer, ULONG offset, const void *data, ULONG bytes)
{
    if (answer->length < answer->fixed || offset >= answer->length || bytes == 0) {
        return;
    }
    memcpy(answer->buffer + offset, data, min(bytes, answer->length - offset));
}

static NTSTATUS status_of(const struct answer *answer)
{
    if (answer->length < answer->fixed) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    return answer->length < answer->needed ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

/* ---- keys ---- */

static void answer_basic(struct ob_node *node, struct answer *answer)
{
    KEY_BASIC_INFORMATION info = {
        .LastWriteTime = node->last_write,
        .TitleIndex = node->title_index,
        .NameLength = node->name.Length,
    };
    answer->fixed = FIELD_OFFSET(KEY_BASIC_INFORMATION, Name);
    answer->needed = answer->fixed + node->name.Length;
    put(answer, 0, &info, answer->fixed);
    put(answer, answer->fixed, node->text, node->name.Length);
}

static void answer_node(struct ob_node *node, struct answer *answer)
{
    KEY_NODE_INFORMATION info = {
        .LastWriteTime = node->last_write,
        .TitleIndex = node->title_index,
        .ClassOffset = NO_OFFSET,
        .ClassLength = node->class_bytes,
        .NameLength = node->name.Length,
    };
    answer->fixed = FIELD_OFFSET(KEY_NODE_INFORMATION, Name);
    answer->needed = answer->fixed + node->name.Length;
    if (node->class_bytes != 0) {
        info.ClassOffset = ALIGN(answer->needed, (ULONG)sizeof(ULONG));
        answer->needed = info.ClassOffset + node->class_bytes;
    }
    put(answer, 0, &info, answer->fixed);
    put(answer, answer->fixed, node->text, node->name.Length);
    put(answer, info.ClassOffset, node->class_text, node->class_bytes);
}

static void measure_children(const struct ob_node *node, KEY_FULL_INFORMATION *info)
{
    for (LIST_ENTRY *entry = node->children.Flink; entry != &node->children; entry = entry->Flink) {
        const struct ob_node *child = CONTAINING_RECORD(entry, struct ob_node, link);
        info->SubKeys++;
        info->MaxNameLen = max(info->MaxNameLen, child->name.Length);
        info->MaxClassLen = max(info->MaxClassLen, child->class_bytes);
    }
}

static void measure_values(const struct ob_node *node, KEY_FULL_INFORMATION *info)
{
    for (LIST_ENTRY *entry = node->values.Flink; entry != &node->values; entry = entry->Flink) {
        const struct ob_value *value = CONTAINING_RECORD(entry, struct ob_value, link);
        info->Values++;
        info->MaxValueNameLen = max(info->MaxValueNameLen, value->name.Length);
        info->MaxValueDataLen = max(info->MaxValueDataLen, value->length);
    }
}

static void answer_full(struct ob_node *node, struct answer *answer)
{
    KEY_FULL_INFORMATION info = {
        .LastWriteTime = node->last_write,
        .TitleIndex = node->title_index,
        .ClassOffset = NO_OFFSET,
        .ClassLength = node->class_bytes,
    };
    answer->fixed = FIELD_OFFSET(KEY_FULL_INFORMATION, Class);
    answer->needed = answer->fixed + node->class_bytes;
    if (node->class_bytes != 0) {
        info.ClassOffset = answer->fixed;
    }
    measure_children(node, &info);
    measure_values(node, &info);
    put(answer, 0, &info, answer->fixed);
    put(answer, answer->fixed, node->class_text, node->class_bytes);
}

static NTSTATUS answer_name(struct ob_node *node, struct answer *answer)
{
    ULONG bytes = ob_node_path(node, NULL, 0);
    WCHAR *path = malloc(bytes);
    if (path == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    ob_node_path(node, path, bytes);
    answer->fixed = FIELD_OFFSET(KEY_NAME_INFORMATION, Name);
    answer->needed = answer->fixed + bytes;
    put(answer, 0, &bytes, sizeof(bytes));
    put(answer, answer->fixed, path, bytes);
    free(path);
    return STATUS_SUCCESS;
}

NTSTATUS ob_key_query(struct ob_node *node, KEY_INFORMATION_CLASS class, void *buffer, ULONG length,
                      ULONG *needed)
{
    struct answer answer = {.buffer = buffer, .length = length};
    NTSTATUS status = STATUS_SUCCESS;
    switch (class) {
    case KeyBasicInformation:
        answer_basic(node, &answer);
        break;
    case KeyNodeInformation:
        answer_node(node, &answer);
        break;
    case KeyFullInformation:
        answer_full(node, &answer);
        break;
    case KeyNameInformation:
        status = answer_name(node, &answer);
        break;
    default:
        status = STATUS_INVALID_PARAMETER;
    }
    *needed = answer.needed;
    return NT_SUCCESS(status) ? status_of(&answer) : status;
}

/* ---- values ---- */

static void answer_value_basic(const struct ob_value *value, struct answer *answer)
{
    KEY_VALUE_BASIC_INFORMATION info = {.Type = value->type, .NameLength = value->name.Length};
    answer->fixed = FIELD_OFFSET(KEY_VALUE_BASIC_INFORMATION, Name);
    answer->needed = answer->fixed + value->name.Length;
    put(answer, 0, &info, answer->fixed);
    put(answer, answer->fixed, value->text, value->name.Length);
}

static void answer_value_full(const struct ob_value *value, struct answer *answer, ULONG alignment)
{
    KEY_VALUE_FULL_INFORMATION info = {
        .Type = value->type,
        .DataOffset = NO_OFFSET,
        .DataLength = value->length,
        .NameLength = value->name.Length,
    };
    answer->fixed = FIELD_OFFSET(KEY_VALUE_FULL_INFORMATION, Name);
    answer->needed = answer->fixed + value->name.Length;
    if (value->length != 0) {
        info.DataOffset = ALIGN(answer->needed, alignment);
        answer->needed = info.DataOffset + value->length;
    }
    put(answer, 0, &info, answer->fixed);
    put(answer, answer->fixed, value->text, value->name.Length);
    put(answer, info.DataOffset, value->data, value->length);
}

static void answer_value_partial(const struct ob_value *value, struct answer *answer)
{
    KEY_VALUE_PARTIAL_INFORMATION info = {.Type = value->type, .DataLength = value->length};
    answer->fixed = FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data);
    answer->needed = answer->fixed + value->length;
    put(answer, 0, &info, answer->fixed);
    put(answer, answer->fixed, value->data, value->length);
}

static void answer_value_aligned(const struct ob_value *value, struct answer *answer)
{
    KEY_VALUE_PARTIAL_INFORMATION_ALIGN64 info = {.Type = value->type, .DataLength = value->length};
    answer->fixed = FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION_ALIGN64, Data);
    answer->needed = answer->fixed + value->length;
    put(answer, 0, &info, answer->fixed);
    put(answer, answer->fixed, value->data, value->length);
}

NTSTATUS ob_value_query(const struct ob_value *value, KEY_VALUE_INFORMATION_CLASS class,
                        void *buffer, ULONG length, ULONG *needed)
{
    struct answer answer = {.buffer = buffer, .length = length};
    *needed = 0;
    switch (class) {
    case KeyValueBasicInformation:
        answer_value_basic(value, &answer);
        break;
    case KeyValueFullInformation:
        answer_value_full(value, &answer, sizeof(ULONG));
        break;
    case KeyValueFullInformationAlign64:
        answer_value_full(value, &answer, sizeof(ULONG64));
        break;
    case KeyValuePartialInformation:
        answer_value_partial(value, &answer);
        break;
    case KeyValuePartialInformationAlign64:
        answer_value_aligned(value, &answer);
        break;
    default:
        return STATUS_INVALID_PARAMETER;
    }
    *needed = answer.needed;
    return status_of(&answer);
}

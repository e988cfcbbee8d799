/* The lists that WskGetAddressInfo gave to drivers: each is one piece of memory, known until it is
 * freed, so that one that was not, or twice, is found out. */
#include "base/log.h"
#include "base/stack.h"
#include "verifier/rule.h"
#include "wsk/wsk.h"

#include <stdlib.h>

struct wsk_result {
    LIST_ENTRY link; /* in wsk_names.results */
    const void *creator;
    WCHAR canonical[NET_NAME_MAX];
    struct {
        ADDRINFOEXW info;
        SOCKADDR_INET address;
    } all[]; /* the driver has the first */
};

static void fill(struct wsk_result *result, ULONG index, const struct wsk_lookup *lookup,
                 struct net_address address)
{
    ADDRINFOEXW *info = &result->all[index].info;
    SOCKADDR *sockaddr = (SOCKADDR *)&result->all[index].address;
    address.port = lookup->port;
    wsk_address_to(&address, sockaddr);
    info->ai_family = sockaddr->sa_family;
    info->ai_socktype = lookup->hints.ai_socktype;
    info->ai_protocol = lookup->hints.ai_protocol;
    info->ai_addr = sockaddr;
    info->ai_addrlen = address.family == NET_IPV4 ? sizeof(SOCKADDR_IN) : sizeof(SOCKADDR_IN6);
}

PADDRINFOEXW wsk_result_create(const struct wsk_lookup *lookup, const struct net_address *addresses,
                               ULONG count, PCWSTR canonical)
{
    struct wsk_result *result = calloc(1, sizeof(*result) + count * sizeof(result->all[0]));
    if (result == NULL) {
        return NULL;
    }
    result->creator = lookup->creator;
    for (ULONG i = 0; i < count; i++) {
        fill(result, i, lookup, addresses[i]);
        if (i != 0) {
            result->all[i - 1].info.ai_next = &result->all[i].info;
        }
    }
    if (canonical[0] != L'\0') {
        RtlCopyMemory(result->canonical, canonical, sizeof(result->canonical));
        result->all[0].info.ai_canonname = result->canonical;
        result->all[0].info.ai_flags = AI_CANONNAME;
    }
    struct wsk_names *names = wsk_names_lock();
    InsertTailList(&names->results, &result->link);
    wsk_names_unlock(names);
    return &result->all[0].info;
}

static struct wsk_result *find(struct wsk_names *names, PADDRINFOEXW info)
{
    for (LIST_ENTRY *entry = names->results.Flink; entry != &names->results; entry = entry->Flink) {
        struct wsk_result *result = CONTAINING_RECORD(entry, struct wsk_result, link);
        if (&result->all[0].info == info) {
            return result;
        }
    }
    return NULL;
}

bool wsk_result_free(PADDRINFOEXW info)
{
    struct wsk_names *names = wsk_names_lock();
    struct wsk_result *result = find(names, info);
    if (result != NULL) {
        RemoveEntryList(&result->link);
    }
    wsk_names_unlock(names);
    free(result);
    return result != NULL;
}

unsigned wsk_results_of(const struct ke_code *code, const void **creator)
{
    struct wsk_names *names = wsk_names_lock();
    unsigned count = 0;
    for (LIST_ENTRY *entry = names->results.Flink; entry != &names->results; entry = entry->Flink) {
        const struct wsk_result *result = CONTAINING_RECORD(entry, struct wsk_result, link);
        if (ke_code_called(code, result->creator)) {
            *creator = result->creator;
            count++;
        }
    }
    wsk_names_unlock(names);
    return count;
}

unsigned wsk_results_report(struct wsk_names *names)
{
    unsigned left = 0;
    for (LIST_ENTRY *entry = names->results.Flink; entry != &names->results; entry = entry->Flink) {
        struct wsk_result *result = CONTAINING_RECORD(entry, struct wsk_result, link);
        verifier_rule_speak("WSK-NAME-06");
        base_log("left: WskGetAddressInfo result %p, not freed (WSK-NAME-06), made by %s\n",
                 (void *)&result->all[0].info, base_stack_site(result->creator).text);
        left++;
    }
    return left;
}

void wsk_results_stop(struct wsk_names *names)
{
    while (!IsListEmpty(&names->results)) {
        free(CONTAINING_RECORD(RemoveHeadList(&names->results), struct wsk_result, link));
    }
}

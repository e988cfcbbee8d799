/* Membership in multicast groups, in the form that both hosts know for both families. */
#include "net/uv/address.h"
#include "net/uv/descriptor.h"
#include "net/uv/loop.h"

#include <string.h>

static int level_of(const struct net_address *group)
{
    return group->family == NET_IPV4 ? IPPROTO_IP : IPPROTO_IPV6;
}

static enum net_error set_any_source(uv_os_sock_t sock, bool is_join,
                                     const struct net_address *group, uint32_t interface_index)
{
    struct group_req request;
    memset(&request, 0, sizeof(request));
    request.gr_interface = interface_index;
    address_to_host(group, &request.gr_group);
    return descriptor_set(sock, level_of(group), is_join ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP,
                          &request, sizeof(request));
}

static enum net_error set_one_source(uv_os_sock_t sock, bool is_join,
                                     const struct net_address *group,
                                     const struct net_address *source, uint32_t interface_index)
{
    struct group_source_req request;
    memset(&request, 0, sizeof(request));
    request.gsr_interface = interface_index;
    address_to_host(group, &request.gsr_group);
    address_to_host(source, &request.gsr_source);
    return descriptor_set(sock, level_of(group),
                          is_join ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP, &request,
                          sizeof(request));
}

enum net_error net_set_membership(struct net_socket *socket, bool is_join,
                                  const struct net_address *group, const struct net_address *source,
                                  uint32_t interface_index)
{
    enum net_error error =
        source == NULL ? set_any_source(socket->sock, is_join, group, interface_index)
                       : set_one_source(socket->sock, is_join, group, source, interface_index);
    return !is_join && error == NET_ADDRESS_NOT_AVAILABLE ? NET_NOT_FOUND : error;
}

using System.Net;
using System.Net.Sockets;

namespace NodeStash.Core.Webhooks;

/// <summary>
/// Decides which addresses webhooks may be sent to: global unicast only (docs/api/webhooks.md, Addresses). It refuses the ranges of the IANA IPv4 and IPv6
/// Special-Purpose Address Registries that are not globally reachable, multicast (RFC 5771, RFC 4291), and IPv6 forms that contain an IPv4 address: they
/// lead to it past any table of IPv4 ranges.
/// </summary>
public static class AddressGuard
{
    private static readonly IPNetwork[] Refused =
    [
        .. new[]
        {
            "0.0.0.0/8", // this network, RFC 791
            "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", // private use, RFC 1918
            "100.64.0.0/10", // shared address space (CGNAT), RFC 6598
            "169.254.0.0/16", // link-local with the clouds' metadata service, RFC 3927
            "192.0.0.0/24", // IETF protocol assignments, RFC 6890
            "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", // documentation, RFC 5737
            "192.88.99.0/24", // 6to4 relay anycast, deprecated, RFC 7526
            "198.18.0.0/15", // benchmarking, RFC 2544
            "224.0.0.0/4", // multicast, RFC 5771
            "240.0.0.0/4", // reserved and limited broadcast, RFC 1112
            "168.63.129.16/32", // Azure's platform address, reachable from within only
            "2001::/23", // IETF protocol assignments, Teredo (an IPv4 address inside, RFC 4380), ORCHID and benchmarking among them, RFC 2928
            "2001:db8::/32", "3fff::/20", // documentation, RFC 3849, RFC 9637
            "2002::/16", // 6to4, an IPv4 address inside, RFC 3056
        }.Select(IPNetwork.Parse),
    ];

    /// <summary>
    /// The only IPv6 addresses assigned so far (IANA IPv6 Address Space). Reserved addresses may lead anywhere: IPv4-mapped (RFC 4291), IPv4-compatible,
    /// IPv4-translated and NAT64 addresses (64:ff9b::/96, RFC 6052) are among them.
    /// </summary>
    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");

    /// <summary>Whether an address may be called.</summary>
    /// <param name="address">The address that the name resolved to, or that the URL contains.</param>
    /// <param name="allowLoopback">Whether the loopback addresses of this machine are allowed.</param>
    public static bool Allows(IPAddress address, bool allowLoopback)
    {
        if (address.IsIPv4MappedToIPv6) return false; // also where it stands for loopback
        if (IPAddress.IsLoopback(address)) return allowLoopback;
        if (Array.Exists(Refused, range => range.Contains(address))) return false;
        return address.AddressFamily is AddressFamily.InterNetwork || GlobalUnicast.Contains(address);
    }
}

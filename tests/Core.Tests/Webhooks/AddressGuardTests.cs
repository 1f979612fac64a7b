using System.Net;
using NodeStash.Core.Webhooks;

namespace NodeStash.Core.Tests.Webhooks;

public sealed class AddressGuardTests
{
    /// <summary>First and last address of every range that is refused.</summary>
    private static readonly string[] Refused =
    [
        "0.0.0.0", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "169.254.0.0", "169.254.169.254", "169.254.255.255",
        "172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.255", "192.0.2.0", "192.0.2.255", "192.88.99.0", "192.88.99.255", "192.168.0.0",
        "192.168.255.255",
        "198.18.0.0", "198.19.255.255", "198.51.100.0", "198.51.100.255", "203.0.113.0", "203.0.113.255", "224.0.0.0", "239.255.255.255", "240.0.0.0",
        "255.255.255.255",
        "168.63.129.16",
    ];

    /// <summary>The neighbours of those ranges, and well-known hosts.</summary>
    private static readonly string[] Allowed =
    [
        "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0", "192.0.3.0", "192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.255",
        "198.51.101.0",
        "203.0.112.255", "203.0.114.0", "223.255.255.255", "126.255.255.255", "128.0.0.0", "168.63.129.15", "168.63.129.17", "8.8.8.8", "1.1.1.1",
    ];

    private static readonly string[] Loopback = ["127.0.0.0", "127.0.0.1", "127.255.255.255"];

    public static TheoryData<string> RefusedAddresses => new(
    [
        .. Refused, .. Loopback, .. InsideIPv6(Mapped), .. InsideIPv6(Nat64), .. InsideIPv6(SixToFour), .. InsideIPv6(Teredo),
        "::", "::1", // unspecified, loopback
        "::10.0.0.1", "::127.0.0.1", "::8.8.8.8", // IPv4-compatible, deprecated
        "::ffff:0:10.0.0.1", "::ffff:0:8.8.8.8", // IPv4-translated
        "64:ff9b:1::", "64:ff9b:1::808:808", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", // local-use NAT64
        "100::", "100::ffff:ffff:ffff:ffff", "100:0:0:1::", // discard-only, dummy
        "2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", // Teredo
        "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "64:ff9b::", "64:ff9b::ffff:ffff", // 6to4, NAT64
        "2001:2::1", "2001:10::1", "2001:20::1", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", // benchmarking, ORCHID, protocol assignments
        "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", // documentation
        "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "4000::", "5f00::1", "a000::1", "fbff::1", // reserved, segment routing
        "fc00::", "fd00:ec2::254", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", // unique local, a metadata service among them
        "fe80::", "fe80::1%1", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fec0::1", "feff::1", // link-local, site-local
        "ff00::", "ff02::1", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", // multicast
    ]);

    public static TheoryData<string> AllowedAddresses => new(
    [
        .. Allowed,
        "2000::", "2001:200::", "2001:4860:4860::8888", "2001:db7:ffff::", "2001:db9::", "2003::1", "2606:4700:4700::1111", "2a00:1450:4001:800::200e",
        "3ffe::1", "3fff:1000::",
    ]);

    [Theory]
    [MemberData(nameof(RefusedAddresses))]
    public void Addresses_that_are_not_public_are_refused(string address) => Assert.False(AddressGuard.Allows(IPAddress.Parse(address), allowLoopback: false));

    [Theory]
    [MemberData(nameof(AllowedAddresses))]
    public void Public_addresses_are_allowed(string address) => Assert.True(AddressGuard.Allows(IPAddress.Parse(address), allowLoopback: false));

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.1.2.3")]
    [InlineData("::1")]
    public void Loopback_is_allowed_where_the_host_says_so(string address) => Assert.True(AddressGuard.Allows(IPAddress.Parse(address), allowLoopback: true));

    [Theory]
    [InlineData("10.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("64:ff9b::127.0.0.1")]
    [InlineData("2002:7f00:1::")]
    [InlineData("fd00::1")]
    public void Allowing_loopback_allows_nothing_else(string address) => Assert.False(AddressGuard.Allows(IPAddress.Parse(address), allowLoopback: true));

    /// <summary>IPv4 addresses of every kind, public ones among them, in a form of IPv6.</summary>
    private static IEnumerable<string> InsideIPv6(Func<string, string> form) => Refused.Concat(Allowed).Concat(Loopback).Select(form);

    private static string Mapped(string address) => $"::ffff:{address}";

    private static string Nat64(string address) => $"64:ff9b::{address}";

    private static string SixToFour(string address) => $"2002:{Hex(IPAddress.Parse(address).GetAddressBytes())}::1";

    /// <summary>RFC 4380: the address of the client comes last, with every bit turned.</summary>
    private static string Teredo(string address) =>
        $"2001:0:4136:e378:8000:63bf:{Hex([.. IPAddress.Parse(address).GetAddressBytes().Select(part => (byte)~part)])}";

    private static string Hex(byte[] address) => Convert.ToHexStringLower(address).Insert(4, ":");
}

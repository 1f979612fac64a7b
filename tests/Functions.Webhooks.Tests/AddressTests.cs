using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using NodeStash.Core.Storage;
using NodeStash.Core.Webhooks;
using NodeStash.Functions.Webhooks.Delivery;
using NodeStash.Support.Http;

namespace NodeStash.Functions.Webhooks.Tests;

/// <summary>
/// docs/api/webhooks.md, Deliveries: the address is checked when connecting, after name resolution, however it is written. Names resolve as each test
/// says.
/// </summary>
public sealed class AddressTests
{
    private static readonly StoredEvent Happened = new(
        "evt_1", "contact.created", "contact", "ct_1", 1, new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero), "{}"u8.ToArray());

    private readonly List<string> asked = [];

    [Fact]
    public async Task A_name_is_resolved_once_for_a_connection_so_that_a_second_answer_cannot_slip_in()
    {
        await using var receiver = await Receiver.Start();
        IPAddress[] answers = [IPAddress.Loopback, IPAddress.Parse("10.0.0.1"), IPAddress.Parse("169.254.169.254")];

        var first = await Send($"http://rebind.example:{receiver.Address.Port}/", _ => [answers[asked.Count - 1]]);
        var second = await Send($"http://rebind.example:{receiver.Address.Port}/", _ => [answers[asked.Count - 1]]);

        Assert.Equal((AttemptOutcome.Delivered, AttemptOutcome.RefusedAddress), (first, second));
        Assert.Equal(["rebind.example", "rebind.example"], asked);
        Assert.Single(receiver.Requests);
    }

    [Fact]
    public async Task Of_several_addresses_only_those_that_may_be_called_are()
    {
        await using var receiver = await Receiver.Start();

        var outcome =
            await Send($"http://mixed.example:{receiver.Address.Port}/", _ => [IPAddress.Parse("10.0.0.1"), IPAddress.Loopback, IPAddress.Parse("fd00::1")]);

        Assert.Equal(AttemptOutcome.Delivered, outcome);
    }

    [Theory]
    [InlineData("http://bücher.example/", "xn--bcher-kva.example")]
    [InlineData("http://EXAMPLE.com./", "example.com.")]
    [InlineData("http://internal.example:22/", "internal.example")]
    [InlineData("https://internal.example:65535/", "internal.example")]
    public async Task However_a_name_is_written_its_address_decides(string url, string name)
    {
        Assert.Equal(AttemptOutcome.RefusedAddress, await Send(url, _ => [IPAddress.Parse("192.168.1.1")]));
        Assert.Equal([name], asked);
    }

    [Theory]
    [InlineData("http://127.1/")]
    [InlineData("http://0x7f.1/")]
    [InlineData("http://017700000001/")]
    [InlineData("http://[::ffff:7f00:1]/")]
    [InlineData("http://①②⑦.0.0.1/")]
    [InlineData("http://127.0.0.1%2f@10.0.0.1/")]
    public async Task Where_loopback_is_not_allowed_no_way_to_write_it_leads_there(string url) =>
        Assert.Equal(AttemptOutcome.RefusedAddress, await Send(url, _ => [IPAddress.Loopback], allowLoopback: false));

    [Fact]
    public async Task A_name_without_an_address_is_a_DNS_failure() =>
        Assert.Equal(AttemptOutcome.DnsFailure, await Send("http://nowhere.example/", _ => throw new SocketException((int)SocketError.HostNotFound)));

    [Fact]
    public async Task Headers_without_end_are_an_invalid_answer()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var server = Task.Run(async () =>
        {
            using var client = await listener.AcceptTcpClientAsync();
            await client.GetStream().WriteAsync("HTTP/1.1 200 OK\r\n"u8.ToArray());
            var header = Encoding.ASCII.GetBytes($"X-More: {new string('x', 1000)}\r\n");
            try
            {
                while (true) await client.GetStream().WriteAsync(header);
            }
            catch (IOException)
            {
            }
        });

        Assert.Equal(AttemptOutcome.InvalidAnswer, await Send($"http://{listener.LocalEndpoint}/", _ => []));
        await server;
    }

    [Fact]
    public async Task Answers_before_the_answer_without_end_are_a_timeout()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var time = new FakeTimeProvider();
        using var sender = new WebhookSender(new WebhookOptions { AllowLoopback = true }, time);
        var sending = sender.Send($"http://{listener.LocalEndpoint}/", [new byte[32]], Happened, 1, CancellationToken.None);
        using var client = await listener.AcceptTcpClientAsync();
        await client.GetStream().ReadExactlyAsync(new byte[1]); // The sender speaks first, so it knows of the connection now.
        var server = Task.Run(async () =>
        {
            try
            {
                while (true) await client.GetStream().WriteAsync("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"u8.ToArray());
            }
            catch (IOException)
            {
            }
        });

        time.Advance(TimeSpan.FromSeconds(15));

        Assert.Equal(AttemptOutcome.Timeout, (await sending).Attempt.Outcome);
        await server;
    }

    [Fact]
    public async Task A_receiver_that_has_no_version_of_TLS_in_common_is_a_TLS_failure()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var server = Task.Run(async () =>
        {
            using var client = await listener.AcceptTcpClientAsync();
            // RFC 8446, 6.2: a fatal alert, protocol_version.
            await client.GetStream().ReadExactlyAsync(new byte[5]);
            await client.GetStream().WriteAsync(new byte[] { 21, 3, 1, 0, 2, 2, 70 });
            await client.GetStream().CopyToAsync(Stream.Null);
        });

        Assert.Equal(AttemptOutcome.TlsFailure, await Send($"https://{listener.LocalEndpoint}/", _ => []));
        await server;
    }

    [Fact]
    public async Task A_connection_that_is_taken_and_then_says_nothing_is_a_timeout()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var time = new FakeTimeProvider();
        using var sender = new WebhookSender(new WebhookOptions { AllowLoopback = true }, time);

        var sending = sender.Send($"https://{listener.LocalEndpoint}/", [new byte[32]], Happened, 1, CancellationToken.None);
        using var client = await listener.AcceptTcpClientAsync();
        await client.GetStream().ReadExactlyAsync(new byte[1]); // The sender speaks first, so it knows of the connection now.
        time.Advance(TimeSpan.FromSeconds(15));

        Assert.Equal(AttemptOutcome.Timeout, (await sending).Attempt.Outcome);
    }

    [Fact]
    public async Task A_host_that_can_not_be_reached_within_15_s_is_a_connect_timeout()
    {
        var time = new FakeTimeProvider();
        var asked = new TaskCompletionSource();
        using var sender = new WebhookSender(
            new WebhookOptions
            {
                Resolve = async (_, ct) =>
                {
                    asked.SetResult();
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
                    return [];
                },
            },
            time);

        var sending = sender.Send("https://hooks.example.com/", [new byte[32]], Happened, 1, CancellationToken.None);
        await asked.Task;
        time.Advance(TimeSpan.FromSeconds(15));

        Assert.Equal(AttemptOutcome.ConnectTimeout, (await sending).Attempt.Outcome);
    }

    private async Task<AttemptOutcome> Send(string url, Func<string, IPAddress[]> resolve, bool allowLoopback = true)
    {
        var options = new WebhookOptions
        {
            AllowLoopback = allowLoopback,
            Resolve = (name, _) =>
            {
                asked.Add(name);
                return Task.FromResult(resolve(name));
            },
        };
        using var sender = new WebhookSender(options, TimeProvider.System);
        return (await sender.Send(url, [new byte[32]], Happened, 1, CancellationToken.None)).Attempt.Outcome;
    }
}

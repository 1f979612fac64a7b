using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;
using NodeStash.Core.Webhooks;
using NodeStash.Support;
using NodeStash.Support.Http;
using Endpoint = NodeStash.Support.Http.Endpoint;

namespace NodeStash.Functions.Webhooks.Tests;

/// <summary>docs/api/webhooks.md, Deliveries: what an attempt comes to, by what the receiver does.</summary>
public sealed class OutcomeTests
{
    [Theory]
    [InlineData(200, AttemptOutcome.Delivered)]
    [InlineData(204, AttemptOutcome.Delivered)]
    [InlineData(299, AttemptOutcome.Delivered)]
    [InlineData(304, AttemptOutcome.Status3xx)]
    [InlineData(400, AttemptOutcome.Status4xx)]
    [InlineData(404, AttemptOutcome.Status4xx)]
    [InlineData(429, AttemptOutcome.Status4xx)]
    [InlineData(500, AttemptOutcome.Status5xx)]
    [InlineData(599, AttemptOutcome.Status5xx)]
    public async Task A_status_decides(int status, AttemptOutcome outcome)
    {
        await using var receiver = await Receiver.Start();
        receiver.AnswerWith(status);

        var attempt = await AttemptAt(receiver.Address);

        Assert.Equal((outcome, status), (attempt.Outcome, attempt.StatusCode));
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        await using var elsewhere = await Receiver.Start();
        await using var receiver = await Receiver.Start();
        receiver.Answer = (_, context) =>
        {
            context.Response.StatusCode = StatusCodes.Status307TemporaryRedirect;
            context.Response.Headers.Location = elsewhere.Address.ToString();
            return Task.CompletedTask;
        };

        var attempt = await AttemptAt(receiver.Address);

        Assert.Equal((AttemptOutcome.Status3xx, 307), (attempt.Outcome, attempt.StatusCode));
        Assert.Empty(elsewhere.Requests);
    }

    [Fact]
    public async Task Gone_disables_the_endpoint_at_once_and_says_why()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        receiver.AnswerWith(410);
        var endpoint = await crm.Api.Subscribe(receiver.Address);
        var contact = await crm.Api.CreateContact("jane@example.com");
        var request = (await receiver.Until(1))[0];

        var delivery = await crm.Delivery(request, endpoint.Id, delivery => delivery.Status is DeliveryStatus.Failed);

        Assert.Equal((AttemptOutcome.Gone, 410), (delivery.Attempts[0].Outcome, delivery.Attempts[0].StatusCode));
        var webhook = await Eventually.Get(
            async () => await crm.Api.Get($"webhooks/{endpoint.Id}") is var now && !now.GetProperty("is_enabled").GetBoolean()
                ? (object)now.GetProperty("disabled_reason").GetString()!
                : null,
            "the end of the endpoint");
        Assert.Equal("The endpoint answered 410 Gone", webhook);
        await crm.Api.Update($"contacts/{contact}", new { title = "CEO" });
        await crm.IsIdle();
        Assert.Single(receiver.Requests);
    }

    [Fact]
    public async Task An_answer_just_within_15_s_counts()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        var answer = new TaskCompletionSource();
        receiver.Answer = (_, _) => answer.Task;
        var (endpoint, request) = await FirstRequest(crm, receiver);

        crm.Time.Advance(TimeSpan.FromSeconds(15) - TimeSpan.FromMilliseconds(1));
        answer.SetResult();

        var delivery = await crm.Delivery(request, endpoint.Id, delivery => delivery.Attempts.Count > 0);
        Assert.Equal(AttemptOutcome.Delivered, delivery.Attempts[0].Outcome);
        Assert.Equal(TimeSpan.FromSeconds(15) - TimeSpan.FromMilliseconds(1), delivery.Attempts[0].Duration);
    }

    [Fact]
    public async Task No_answer_within_15_s_is_a_timeout()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        receiver.Answer = (_, context) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        var (endpoint, request) = await FirstRequest(crm, receiver);

        crm.Time.Advance(TimeSpan.FromSeconds(15));

        var delivery = await crm.Delivery(request, endpoint.Id, delivery => delivery.Attempts.Count > 0);
        Assert.Equal((AttemptOutcome.Timeout, null, DeliveryStatus.Pending), (delivery.Attempts[0].Outcome, delivery.Attempts[0].StatusCode, delivery.Status));
    }

    [Fact]
    public async Task A_body_that_dribbles_past_15_s_is_a_timeout()
    {
        await using var crm = await Crm.Start();
        await using var receiver = await Receiver.Start();
        receiver.Answer = async (_, context) =>
        {
            await context.Response.StartAsync();
            while (!context.RequestAborted.IsCancellationRequested)
            {
                await context.Response.WriteAsync(".", context.RequestAborted);
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, context.RequestAborted);
            }
        };
        var (endpoint, request) = await FirstRequest(crm, receiver);

        crm.Time.Advance(TimeSpan.FromSeconds(15));

        var delivery = await crm.Delivery(request, endpoint.Id, delivery => delivery.Attempts.Count > 0);
        Assert.Equal(AttemptOutcome.Timeout, delivery.Attempts[0].Outcome);
    }

    [Fact]
    public async Task Four_KiB_of_the_answer_are_kept_as_text()
    {
        await using var receiver = await Receiver.Start();
        receiver.Answer = (_, context) => context.Response.WriteAsync("žluťoučký " + new string('x', 10_000));

        var attempt = await AttemptAt(receiver.Address);

        Assert.StartsWith("žluťoučký xxx", attempt.Answer, StringComparison.Ordinal);
        Assert.Equal(4096, System.Text.Encoding.UTF8.GetByteCount(attempt.Answer!));
    }

    /// <summary>What lies in the buffers between the two is sent and not read; but that is not a megabyte.</summary>
    [Fact]
    public async Task Nothing_beyond_64_KiB_of_an_answer_is_read_afterwards_either()
    {
        const int Most = 1 << 20;
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var server = Task.Run(async () =>
        {
            using var client = await listener.AcceptTcpClientAsync();
            client.SendBufferSize = 64 * 1024;
            await client.GetStream().WriteAsync(System.Text.Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {Most}\r\n\r\n"));
            var taken = 0;
            try
            {
                for (var part = new byte[1024]; taken < Most; taken += part.Length) await client.GetStream().WriteAsync(part);
            }
            catch (IOException)
            {
            }

            return taken;
        });

        Assert.Equal(AttemptOutcome.Delivered, (await AttemptAt(new Uri($"http://{listener.LocalEndpoint}/"))).Outcome);
        Assert.InRange(await server, 64 * 1024, Most - 1);
    }

    [Fact]
    public async Task Of_an_endless_answer_64_KiB_are_read()
    {
        await using var receiver = await Receiver.Start();
        var hungUp = new TaskCompletionSource();
        receiver.Answer = async (_, context) =>
        {
            context.RequestAborted.Register(hungUp.SetResult);
            // No more comes, and yet it does not end: whoever waits for the rest waits for ever.
            await context.Response.WriteAsync(new string('x', 64 * 1024));
            await hungUp.Task;
        };

        var attempt = await AttemptAt(receiver.Address);

        Assert.Equal((AttemptOutcome.Delivered, 4096), (attempt.Outcome, attempt.Answer?.Length));
        await hungUp.Task;
    }

    [Fact]
    public async Task Nobody_listening_is_a_connection_failure() =>
        Assert.Equal(AttemptOutcome.ConnectionFailure, (await AttemptAt(new Uri($"http://127.0.0.1:{UnusedPort()}/"))).Outcome);

    [Fact]
    public async Task A_connection_that_breaks_off_is_a_connection_failure()
    {
        await using var receiver = await Receiver.Start();
        receiver.Answer = (_, context) =>
        {
            context.Abort();
            return Task.CompletedTask;
        };

        Assert.Equal(AttemptOutcome.ConnectionFailure, (await AttemptAt(receiver.Address)).Outcome);
    }

    [Fact]
    public async Task An_answer_that_is_not_HTTP_is_invalid()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var server = Task.Run(async () =>
        {
            using var client = await listener.AcceptTcpClientAsync();
            await client.GetStream().WriteAsync("SSH-2.0-OpenSSH_9.6\r\n\r\n"u8.ToArray());
        });

        Assert.Equal(AttemptOutcome.InvalidAnswer, (await AttemptAt(new Uri($"http://{listener.LocalEndpoint}/"))).Outcome);
        await server;
    }

    [Fact]
    public async Task A_name_that_does_not_resolve_is_a_DNS_failure() =>
        Assert.Equal(AttemptOutcome.DnsFailure, (await AttemptAt(new Uri("https://nowhere.invalid/"))).Outcome);

    [Fact]
    public async Task A_certificate_nobody_vouches_for_is_a_TLS_failure()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        using var made = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        using var certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
        await using var receiver = await Receiver.Start(certificate);

        Assert.Equal(AttemptOutcome.TlsFailure, (await AttemptAt(new Uri($"https://localhost:{receiver.Address.Port}/"))).Outcome);
        Assert.Empty(receiver.Requests);
    }

    [Fact]
    public async Task Https_to_a_port_that_speaks_http_is_a_TLS_failure()
    {
        await using var receiver = await Receiver.Start();

        Assert.Equal(AttemptOutcome.TlsFailure, (await AttemptAt(new Uri($"https://127.0.0.1:{receiver.Address.Port}/"))).Outcome);
    }

    [Theory]
    [InlineData("https://10.0.0.1/")]
    [InlineData("https://169.254.169.254/latest/meta-data")]
    [InlineData("https://0.0.0.0/")]
    [InlineData("https://[::ffff:192.168.1.1]/")]
    [InlineData("https://[64:ff9b::7f00:1]/")]
    [InlineData("https://[fd00::1]/")]
    [InlineData("https://0xa9.0xfe.0xa9.0xfe/")]
    [InlineData("https://2852039166/")]
    public async Task An_address_that_is_not_public_is_not_called(string url) =>
        Assert.Equal(AttemptOutcome.RefusedAddress, (await AttemptAt(new Uri(url))).Outcome);

    /// <summary>What the first attempt to deliver to an address came to.</summary>
    private static async Task<DeliveryAttempt> AttemptAt(Uri address)
    {
        await using var crm = await Crm.Start();
        await using var witness = await Receiver.Start();
        var endpoint = await crm.Api.Subscribe(address);
        await crm.Api.Subscribe(witness.Address);
        await crm.Api.CreateContact("jane@example.com");
        var delivery = await crm.Delivery((await witness.Until(1))[0], endpoint.Id, delivery => delivery.Attempts.Count > 0);
        return delivery.Attempts[0];
    }

    private static async Task<(Endpoint Endpoint, Received Request)> FirstRequest(Crm crm, Receiver receiver)
    {
        var endpoint = await crm.Api.Subscribe(receiver.Address);
        await crm.Api.CreateContact("jane@example.com");
        return (endpoint, (await receiver.Until(1))[0]);
    }

    private static int UnusedPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

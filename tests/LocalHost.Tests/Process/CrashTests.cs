using System.Net;
using System.Net.Sockets;
using NodeStash.Support;
using NodeStash.Support.Http;
using NodeStash.Support.Processes;

namespace NodeStash.LocalHost.Tests.Process;

/// <summary>docs/api/webhooks.md: a crash anywhere loses nothing. Every crash is a SIGKILL of the real process.</summary>
public sealed class CrashTests(ITestOutputHelper output) : IDisposable
{
    private const int Rounds = 20;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("nodestash-crash-");

    private string Data => Path.Combine(folder.FullName, "data");

    [Fact]
    public async Task What_was_committed_before_the_crash_is_delivered_after_it()
    {
        var port = UnusedPort();
        string id;
        await using (var server = await NodeStashProcess.Serve(Data))
        {
            using var api = server.Client();
            await api.Subscribe(new Uri($"http://127.0.0.1:{port}/"));
            id = await api.CreateContact("jane@example.com");
            await server.Kill();
        }

        await using var receiver = await Receiver.Start(port: port);
        await using var again = await NodeStashProcess.Serve(Data);

        Assert.Equal(("contact.created", id), ((await receiver.Until(1))[0].Name, receiver.Requests[0].RecordId));
    }

    [Fact]
    public async Task An_attempt_that_was_due_after_the_crash_is_made_when_it_was_due()
    {
        await using var receiver = await Receiver.Start();
        receiver.AnswerWith(500);
        await using (var server = await NodeStashProcess.Serve(Data))
        {
            using var api = server.Client();
            await api.Subscribe(receiver.Address);
            await api.CreateContact("jane@example.com");
            await receiver.Until(1);
            await Eventually.True(() => server.Output.Contains("attempt 1: Status5xx", StringComparison.Ordinal), "the end of the attempt");
            // Another delivery comes after the first in every file: once it is through, so is the first.
            receiver.Answer = (_, _) => Task.CompletedTask;
            await api.CreateContact("joan@example.com");
            await receiver.Until(2);
            await server.Kill();
        }

        await using var again = await NodeStashProcess.Serve(Data);
        var (first, second) = await Attempts(receiver);

        Assert.Equal(first.Id, second.Id);
        Assert.Equal(first.Body, second.Body);
        Assert.True(second.SentAt - first.SentAt >= TimeSpan.FromSeconds(5), $"{first.SentAt:O} {second.SentAt:O}");
    }

    [Fact]
    public async Task Whatever_is_killed_whenever_no_event_is_lost_invented_or_out_of_order()
    {
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        await using var run = await CrashRun.Start(Data, seed);

        var report = await run.Run(Rounds);

        output.WriteLine(report.ToString());
        Assert.Empty(report.Faults);
        Assert.True(report is { Events: > 0, Failures: > 0, Redelivered: > 0, WideChanges: > 0 }, "The run did not do what it is for");
    }

    public void Dispose() => folder.Delete(recursive: true);

    /// <summary>The two attempts of the first contact's event.</summary>
    private static async Task<(Received First, Received Second)> Attempts(Receiver receiver)
    {
        var first = receiver.Requests[0];
        return (first, await Eventually.Get(() => receiver.Requests.Skip(1).FirstOrDefault(request => request.Id == first.Id), "the second attempt"));
    }

    private static int UnusedPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

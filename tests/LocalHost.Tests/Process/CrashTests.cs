using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using NodeStash.Functions.Webhooks.Tests;
using Xunit.Abstractions;

namespace NodeStash.LocalHost.Tests.Process;

/// <summary>contract/webhooks.md: a crash anywhere loses nothing. Every crash is a SIGKILL of the real process.</summary>
public sealed class CrashTests(ITestOutputHelper output) : IDisposable
{
    private const int Rounds = 6;
    private const int Writers = 4;

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
        var random = new Random(seed);
        var failed = new ConcurrentDictionary<string, bool>();
        await using var receiver = await Receiver.Start();
        receiver.Answer = (received, context) =>
        {
            // Each event fails once at most, so that it is not five minutes until it comes again.
            bool fails;
            lock (random) fails = random.Next(4) == 0;
            context.Response.StatusCode = fails && failed.TryAdd(received.Id, true) ? 500 : 200;
            return Task.CompletedTask;
        };
        var writers = Enumerable.Range(0, Writers).Select(number => new Writer(number, new Random(seed + number + 1))).ToArray();

        for (var round = 0; round < Rounds; round++)
        {
            await using var server = await NodeStashProcess.Serve(Data);
            if (round == 0)
            {
                using var api = server.Client();
                await api.Subscribe(receiver.Address, "contact.*");
            }

            var writing = writers.Select(writer => Task.Run(() => writer.WriteUntilDeath(server))).ToArray();
            int lifetime;
            lock (random) lifetime = random.Next(100, 2500);
            await Task.Delay(lifetime);
            await server.Kill();
            await Task.WhenAll(writing);
        }

        await using var last = await NodeStashProcess.Serve(Data);
        using var client = last.Client();
        var log = await Log(client);
        await Eventually.True(() => log.Keys.ToHashSet().IsSubsetOf(Delivered(receiver, failed)), "every event of the log");

        var events = receiver.Requests.GroupBy(request => request.Id).ToDictionary(group => group.Key, group => group.First());
        output.WriteLine($"{log.Count} events, {receiver.Requests.Count} requests, {failed.Count} failures, {writers.Sum(writer => writer.Accepted.Count)} writes");
        Assert.NotEmpty(failed);
        Assert.True(events.Keys.ToHashSet().SetEquals(log.Keys), "What was sent is not what is in the log");
        Assert.All(receiver.Requests, request => Assert.Equal(log[request.Id], request.Event.GetRawText()));
        var happened = events.Values.ToDictionary(request => (request.RecordId, request.Version));
        Assert.All(writers.SelectMany(writer => writer.Accepted), write => Assert.Contains(write, happened));
        var accepted = writers.SelectMany(writer => writer.Accepted).ToHashSet();
        var unanswered = writers.Sum(writer => writer.Unanswered);
        Assert.InRange(happened.Keys.Count(write => !accepted.Contains(write)), 0, unanswered);
        foreach (var record in receiver.Requests.GroupBy(request => request.RecordId))
        {
            var versions = record.Select(request => request.Version).ToList();
            Assert.Equal(versions.Order(), versions);
            Assert.Equal(Enumerable.Range(1, versions.Distinct().Count()).Select(version => (long)version), versions.Distinct());
        }
    }

    public void Dispose() => folder.Delete(recursive: true);

    /// <summary>The ids of the events that were answered 200.</summary>
    private static HashSet<string> Delivered(Receiver receiver, ConcurrentDictionary<string, bool> failed) =>
        [.. receiver.Requests.GroupBy(request => request.Id).Where(requests => requests.Count() > (failed.ContainsKey(requests.Key) ? 1 : 0)).Select(requests => requests.Key)];

    /// <summary>The events of the log by their ids.</summary>
    private static async Task<Dictionary<string, string>> Log(CrmClient api)
    {
        var events = new Dictionary<string, string>();
        string? cursor = null;
        do
        {
            using var answer = await api.Send(HttpMethod.Get, "events?limit=100" + (cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}"));
            var page = JsonElement.Parse(await answer.Content.ReadAsStringAsync());
            foreach (var each in page.GetProperty("data").EnumerateArray().Select(one => one.GetProperty("attributes")))
            {
                if (each.GetProperty("event").GetString()!.StartsWith("contact.", StringComparison.Ordinal)) events.Add(each.GetProperty("id").GetString()!, each.GetRawText());
            }

            var pagination = page.GetProperty("meta").GetProperty("pagination");
            cursor = pagination.GetProperty("has_more").GetBoolean() ? pagination.GetProperty("next_cursor").GetString() : null;
        }
        while (cursor is not null);
        return events;
    }

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

    /// <summary>A client that creates, changes and deletes contacts of its own, one after another, and remembers what was answered 2xx.</summary>
    private sealed class Writer(int number, Random random)
    {
        private readonly Dictionary<string, long> contacts = [];
        private int created;

        /// <summary>Records and their versions.</summary>
        public List<(string RecordId, long Version)> Accepted { get; } = [];

        /// <summary>Writes of which nobody knows whether they were made.</summary>
        public int Unanswered { get; private set; }

        public async Task WriteUntilDeath(NodeStashProcess server)
        {
            using var api = server.Client();
            try
            {
                while (true)
                {
                    if (contacts.Count < 3 || random.Next(4) == 0) await Create(api);
                    else await Change(api, contacts.Keys.ElementAt(random.Next(contacts.Count)));
                }
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                Unanswered++;
            }
        }

        private async Task Create(CrmClient api)
        {
            var id = await api.CreateContact(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"w{number}-{created++}@example.com"));
            contacts.Add(id, 1);
            Accepted.Add((id, 1));
        }

        private async Task Change(CrmClient api, string id)
        {
            // What becomes of this contact if there is no answer is not known: then it is left alone.
            contacts.Remove(id, out var version);
            var deletes = random.Next(5) == 0;
            if (deletes) await api.Delete($"contacts/{id}");
            else await api.Update($"contacts/{id}", new { title = $"Version {version + 1}" });
            Accepted.Add((id, version + 1));
            if (!deletes) contacts.Add(id, version + 1);
        }
    }
}

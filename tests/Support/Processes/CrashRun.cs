using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using NodeStash.Support.Http;

namespace NodeStash.Support.Processes;

/// <summary>
/// Clients write, four receivers take what comes in their ways, an operator redelivers and turns an endpoint off and on, and the process is killed
/// again and again, while it serves or while it starts. In the end what came is held against what was committed.
/// </summary>
public sealed class CrashRun : IAsyncDisposable
{
    private const int Writers = 4;
    private const string Healthy = "/healthy", Failing = "/failing", Slow = "/slow", Moody = "/moody";

    private static readonly string[] Paths = [Healthy, Failing, Slow, Moody];
    private static readonly string[] Subscribed = ["contact.*", "company.*"];

    /// <summary>How long nothing may come before what is missing counts as lost.</summary>
    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromSeconds(60);

    private readonly string data;
    private readonly Random random;
    private readonly Receiver receiver;
    private readonly Client[] clients;
    private readonly Operator oversight;
    private readonly ConcurrentDictionary<string, bool> failed = new();
    private readonly ConcurrentDictionary<(string Path, string EventId), bool> taken = new();
    private readonly Dictionary<string, string> endpoints = [];
    private readonly EventLog log = new();
    private volatile bool isCalm;

    private CrashRun(string data, int seed, Receiver receiver)
    {
        (this.data, random, this.receiver) = (data, new Random(seed), receiver);
        oversight = new Operator(new Random(seed + 1), endpoints);
        clients = [oversight, new WideWriter(new Random(seed + 2)),
            .. Enumerable.Range(0, Writers).Select(number => new Writer(number, new Random(seed + 3 + number)))];
        receiver.Answer = Answer;
    }

    /// <param name="data">The data folder, to be made.</param>
    /// <param name="seed">Of everything that is left to chance; the moments at which things happen differ all the same.</param>
    public static async Task<CrashRun> Start(string data, int seed) => new(data, seed, await Receiver.Start());

    /// <summary>Kills it so often, then lets it finish.</summary>
    public async Task<CrashReport> Run(int rounds)
    {
        for (var round = 0; round < rounds; round++) await Live(round);

        isCalm = true;
        await using var last = await NodeStashProcess.Serve(data);
        using var api = last.Client();
        await oversight.MakeGood(api);
        for (var (quietSince, seen) = (TimeProvider.System.GetTimestamp(), -1); TimeProvider.System.GetElapsedTime(quietSince) < GiveUpAfter
            && !await IsComplete(api);)
        {
            if (seen != receiver.Requests.Count) quietSince = TimeProvider.System.GetTimestamp();
            seen = receiver.Requests.Count;
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
        }

        return Report(rounds);
    }

    public ValueTask DisposeAsync() => receiver.DisposeAsync();

    /// <summary>One life of the process.</summary>
    private async Task Live(int round)
    {
        if (round > 0 && Next(4) == 0)
        {
            await using var unborn = NodeStashProcess.Begin(data);
            await Task.Delay(TimeSpan.FromMilliseconds(Next(800)), TimeProvider.System);
            await unborn.Kill();
            return;
        }

        await using var server = await NodeStashProcess.Serve(data);
        if (round == 0)
        {
            using var api = server.Client();
            foreach (var path in Paths) endpoints.Add(path, (await api.Subscribe(new Uri(receiver.Address, path), Subscribed)).Id);
        }

        var working = clients.Select(client => Task.Run(() => client.WorkUntilDeath(server))).ToArray();
        // The first life is long enough for everything to happen once, however slow the machine.
        if (round == 0)
            await Eventually.True(() => clients.OfType<WideWriter>().All(client => client.Done > 0) && IsRedelivered(), "a wide change and a redelivery");
        await Task.Delay(TimeSpan.FromMilliseconds(100 + Next(1400)), TimeProvider.System);
        await server.Kill();
        await Task.WhenAll(working);
    }

    private async Task Answer(Received received, HttpContext context)
    {
        switch (received.Path)
        {
            // Each event fails once at most, so that it is not five minutes until it comes again.
            case Failing when Next(4) == 0 && failed.TryAdd(received.Id, true):
                context.Response.StatusCode = StatusCodes.Status500InternalServerError;
                return;
            case Moody when !isCalm && Next(100) == 0:
                context.Response.StatusCode = StatusCodes.Status410Gone;
                return;
            case Slow:
                await Task.Delay(TimeSpan.FromMilliseconds(Next(30)), TimeProvider.System);
                break;
        }

        taken.TryAdd((received.Path, received.Id), true);
    }

    private bool IsRedelivered()
    {
        var slow = receiver.Requests.Where(request => request.Path is Slow).Select(request => request.Id).ToList();
        return slow.Distinct().Count() < slow.Count;
    }

    private int Next(int max)
    {
        lock (random) return random.Next(max);
    }

    private async Task<bool> IsComplete(CrmClient api)
    {
        await log.ReadOn(api);
        return Missing().Count == 0;
    }

    /// <summary>What was answered as done and is not in the log, and what is in the log and was not taken.</summary>
    private List<string> Missing() =>
    [
        .. clients.SelectMany(client => client.Accepted).Where(write => !log.Happened.Contains(write)).Select(write => $"{write} was accepted and is no event"),
        .. Paths.SelectMany(path => log.Bodies.Keys.Where(id => !taken.ContainsKey((path, id))).Select(id => $"{id} did not reach {path}")),
    ];

    private CrashReport Report(int rounds)
    {
        var requests = receiver.Requests;
        var accepted = clients.SelectMany(client => client.Accepted).ToHashSet();
        var unasked = log.Happened.Where(write => !accepted.Contains(write)).ToList();
        List<string> invented =
        [
            .. requests.Where(request => !log.Bodies.TryGetValue(request.Id, out var body) || body != request.Event.GetRawText())
                .Select(request => $"{request.Id} at {request.Path} is not in the log as it came"),
            .. unasked.Skip(clients.Sum(client => client.Unanswered)).Select(write => $"{write} happened and nobody asked for it"),
        ];
        // What is sent again on request comes after what was delivered meanwhile, and what was given up while an endpoint was off comes when it is recovered.
        List<string> outOfOrder =
        [
            .. OutOfOrder(requests.Where(request => request.Path is Healthy or Failing)),
            .. OutOfOrder(requests.Where(request => request.Path is Slow).DistinctBy(request => request.Id)),
        ];
        var inOrder = requests.Where(request => request.Path is Healthy or Failing).ToList();
        var duplicates = inOrder.Count - inOrder.DistinctBy(request => (request.Path, request.Id)).Count() - failed.Count;
        var again = requests.Count - inOrder.Count - requests.Where(request => request.Path is Slow or Moody).DistinctBy(request => (request.Path, request.Id))
            .Count();
        return new CrashReport(rounds, log.Bodies.Count, requests.Count, failed.Count, duplicates, again,
            clients.OfType<WideWriter>().Sum(client => client.Done), Missing(), invented, outOfOrder);
    }

    private static IEnumerable<string> OutOfOrder(IEnumerable<Received> requests)
    {
        var newest = new Dictionary<(string Path, string RecordId), long>();
        foreach (var request in requests)
        {
            var lane = (request.Path, request.RecordId);
            if (request.Version < newest.GetValueOrDefault(lane))
                yield return $"{request.RecordId} at {request.Path}: version {request.Version} after {newest[lane]}";
            newest[lane] = Math.Max(request.Version, newest.GetValueOrDefault(lane));
        }
    }

    /// <summary>The events that were committed, read as a client reads them.</summary>
    private sealed class EventLog
    {
        private string? cursor;

        /// <summary>By the events' ids.</summary>
        public Dictionary<string, string> Bodies { get; } = [];

        public HashSet<(string RecordId, long Version)> Happened { get; } = [];

        public async Task ReadOn(CrmClient api)
        {
            for (var hasMore = true; hasMore;)
            {
                using var answer = await api.Send(HttpMethod.Get, "events?limit=100" + (cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}"));
                var page = JsonElement.Parse(await answer.Content.ReadAsStringAsync());
                foreach (var each in page.GetProperty("data").EnumerateArray().Select(one => one.GetProperty("attributes")))
                {
                    if (!Array.Exists(Subscribed, pattern => each.GetProperty("event").GetString()!.StartsWith(pattern.TrimEnd('*'), StringComparison.Ordinal)))
                        continue;
                    Bodies.Add(each.GetProperty("id").GetString()!, each.GetRawText());
                    Happened.Add((each.GetProperty("data").GetProperty("id").GetString()!, each.GetProperty("metadata").GetProperty("version").GetInt64()));
                }

                var pagination = page.GetProperty("meta").GetProperty("pagination");
                hasMore = pagination.GetProperty("has_more").GetBoolean();
                cursor = pagination.GetProperty("next_cursor").GetString() ?? cursor;
            }
        }
    }

    /// <summary>Somebody who works with the API, a request after another, and remembers what was answered 2xx.</summary>
    private abstract class Client(Random random)
    {
        protected Random Random { get; } = random;

        /// <summary>Records and their versions.</summary>
        public List<(string RecordId, long Version)> Accepted { get; } = [];

        /// <summary>Writes of which nobody knows whether they were made.</summary>
        public int Unanswered { get; private set; }

        public async Task WorkUntilDeath(NodeStashProcess server)
        {
            using var api = server.Client();
            try
            {
                while (true)
                {
                    await Step(api);
                    await Task.Delay(TimeSpan.FromMilliseconds(Random.Next(20)), TimeProvider.System);
                }
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                Unanswered++;
            }
        }

        protected abstract Task Step(CrmClient api);
    }

    /// <summary>Creates, changes and deletes contacts of its own.</summary>
    private sealed class Writer(int number, Random random) : Client(random)
    {
        private readonly Dictionary<string, long> contacts = [];
        private int created;

        protected override Task Step(CrmClient api) =>
            contacts.Count < 3 || Random.Next(4) == 0 ? Create(api) : Change(api, contacts.Keys.ElementAt(Random.Next(contacts.Count)));

        private async Task Create(CrmClient api)
        {
            var id = await api.CreateContact(string.Create(CultureInfo.InvariantCulture, $"w{number}-{created++}@example.com"));
            contacts.Add(id, 1);
            Accepted.Add((id, 1));
        }

        private async Task Change(CrmClient api, string id)
        {
            // What becomes of this contact if there is no answer is not known: then it is left alone.
            contacts.Remove(id, out var version);
            var deletes = Random.Next(5) == 0;
            if (deletes) await api.Delete($"contacts/{id}");
            else await api.Update($"contacts/{id}", new { title = $"Version {version + 1}" });
            Accepted.Add((id, version + 1));
            if (!deletes) contacts.Add(id, version + 1);
        }
    }

    /// <summary>Makes companies with many contacts and deletes them: each step is repeated until it is answered.</summary>
    private sealed class WideWriter(Random random) : Client(random)
    {
        private const int Contacts = 25;

        private string? company;
        private List<string> contacts = [];

        public int Done { get; private set; }

        protected override async Task Step(CrmClient api)
        {
            if (company is null)
            {
                company = (await Post(api, "companies", $"company-{Done}", new { name = "Acme" })).GetProperty("id").GetString()!;
                Accepted.Add((company, 1));
            }
            else if (contacts.Count == 0)
            {
                var operations = Enumerable.Range(0, Contacts).Select(_ => new { op = "create", data = new { company_id = company } });
                var made = await Post(api, "contacts/batch", $"contacts-{Done}", new { atomic = true, operations });
                contacts = [.. made.EnumerateArray().Select(item => item.GetProperty("data").GetProperty("id").GetString()!)];
                Accepted.AddRange(contacts.Select(id => (id, 1L)));
            }
            else
            {
                using var answer = await api.Send(HttpMethod.Delete, $"companies/{company}");
                if (answer.StatusCode is not (HttpStatusCode.NoContent or HttpStatusCode.NotFound)) throw new InvalidOperationException($"{answer.StatusCode}");
                Accepted.Add((company, 2));
                Accepted.AddRange(contacts.Select(id => (id, 2L)));
                (company, contacts) = (null, []);
                Done++;
            }
        }

        /// <summary>The <c>data</c> of the answer.</summary>
        private static async Task<JsonElement> Post(CrmClient api, string path, string key, object body)
        {
            using var answer = await api.Send(HttpMethod.Post, path, body, key);
            var text = await answer.Content.ReadAsStringAsync();
            return answer.IsSuccessStatusCode ? JsonElement.Parse(text).GetProperty("data") : throw new InvalidOperationException(text);
        }
    }

    /// <summary>Turns an endpoint off and on, recovers what that made fail, and has another one sent again what it was sent.</summary>
    private sealed class Operator(Random random, IReadOnlyDictionary<string, string> endpoints) : Client(random)
    {
        private readonly DateTimeOffset begun = TimeProvider.System.GetUtcNow().AddSeconds(-1);

        /// <summary>All endpoints are on, and whatever one of them missed is sent.</summary>
        public async Task MakeGood(CrmClient api)
        {
            await api.Update($"webhooks/{endpoints[Moody]}", new { is_enabled = true });
            using var answer = await api.Send(HttpMethod.Post, $"webhooks/{endpoints[Moody]}/replay", new { since = begun, missing_only = true });
            if (answer.StatusCode is not HttpStatusCode.Accepted) throw new InvalidOperationException($"{answer.StatusCode}");
        }

        protected override async Task Step(CrmClient api)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(Random.Next(300)), TimeProvider.System);
            switch (Random.Next(3))
            {
                case 0:
                    await api.Update($"webhooks/{endpoints[Moody]}", new { is_enabled = Random.Next(3) > 0 });
                    break;
                case 1:
                    // Refused while the endpoint is off.
                    (await api.Send(HttpMethod.Post, $"webhooks/{endpoints[Moody]}/recover", new { since = begun })).Dispose();
                    break;
                default:
                    (await api.Send(
                        HttpMethod.Post, $"webhooks/{endpoints[Slow]}/replay", new { since = TimeProvider.System.GetUtcNow().AddSeconds(-1) })).Dispose();
                    break;
            }
        }
    }
}

/// <summary>What a <see cref="CrashRun"/> came to.</summary>
/// <param name="Rounds">Lives of the process that ended with a kill.</param>
/// <param name="Events">Committed.</param>
/// <param name="Requests">To all receivers.</param>
/// <param name="Failures">Requests that a receiver answered 500.</param>
/// <param name="Duplicates">Requests that came again though nobody asked for it and they had been taken.</param>
/// <param name="Redelivered">Requests that came again at endpoints that were redelivered to.</param>
/// <param name="WideChanges">That were announced.</param>
/// <param name="Lost">What was committed and did not come, or was answered as done and was not committed.</param>
/// <param name="Invented">What came and was not committed, or was committed and not asked for.</param>
/// <param name="OutOfOrder">What came after a later version of its record.</param>
public sealed record CrashReport(
    int Rounds, int Events, int Requests, int Failures, int Duplicates, int Redelivered, int WideChanges, IReadOnlyList<string> Lost,
    IReadOnlyList<string> Invented, IReadOnlyList<string> OutOfOrder)
{
    public IEnumerable<string> Faults => [.. Lost, .. Invented, .. OutOfOrder];

    public override string ToString() =>
        $"""
        | rounds | events | requests | failures | duplicates | redelivered | wide changes | lost | invented | out of order |
        |-------:|-------:|---------:|---------:|-----------:|------------:|-------------:|-----:|---------:|-------------:|
        | {Rounds,6} | {Events,6} | {Requests,8} | {Failures,8} | {Duplicates,10} | {Redelivered,11} | {WideChanges,12} | {Lost.Count,4} | {Invented.Count,8} | {OutOfOrder.Count,12} |
        """;
}

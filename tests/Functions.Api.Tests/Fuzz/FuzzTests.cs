using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Fuzz;

/// <summary>
/// Whatever is sent, to whatever route: valid requests of every route, each spoilt in up to three places, by clients at once in one workspace.
/// NODESTASH_FUZZ_SEED and NODESTASH_FUZZ_REQUESTS say which and how many; request i is made of the seed and i alone, but for the ids of what was
/// made before.
/// </summary>
public sealed class FuzzTests(Server server) : IClassFixture<Server>
{
    private const int Clients = 16;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private static readonly int Seed = Setting("NODESTASH_FUZZ_SEED", 1);
    private static readonly int Requests = Setting("NODESTASH_FUZZ_REQUESTS", 30_000);

    private readonly Pool pool = new();
    private readonly ConcurrentQueue<string> wrong = new();
    private readonly ConcurrentDictionary<int, int> seen = new();

    [Fact]
    public async Task Any_request_is_answered_in_an_envelope_and_leaves_everything_in_order()
    {
        var workspace = await server.NewWorkspace();
        await Fill(workspace.Owner);
        var (grammar, mutations, next) = (new Grammar(pool, workspace.Owner.Key), new Mutations(pool), -1);

        await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(async () =>
        {
            using var connection = new Connection(server.Address);
            for (int i; (i = Interlocked.Increment(ref next)) < Requests && wrong.IsEmpty;)
            {
                var random = new Random(HashCode(Seed, i));
                var request = grammar.Make(random);
                for (var spoils = random.Pick([0, 0, 0, 1, 1, 1, 2, 2, 3]); spoils > 0; spoils--) request = mutations.Mutate(random, request);
                await Try(workspace.Owner, connection, request, i);
            }
        })));
        Assert.True(wrong.IsEmpty, string.Join("\n\n", wrong.Take(3)));

        // The requests are no mere noise: they get through to what they are about, and are refused in every way there is.
        Assert.All([200, 201, 204, 304, 400, 401, 404, 405, 409, 412, 415, 422],
            status => Assert.True(seen.GetValueOrDefault(status) >= Requests / 10_000, $"{status}: {string.Join(' ', seen)}"));
        await server.Settled(workspace);
        await StoreInvariants.Hold(server, workspace);
    }

    private async Task Try(Support.Running.Api api, Connection connection, FuzzRequest request, int number)
    {
        var bytes = request.Bytes();
        RawAnswer? answer;
        try
        {
            using var deadline = new CancellationTokenSource(Deadline, TimeProvider.System);
            answer = await connection.Send(bytes, isLast: request.MayNotComeAbout, deadline.Token);
        }
        catch (OperationCanceledException)
        {
            connection.Dispose();
            Report("no answer in time", bytes, null, number);
            return;
        }

        seen.AddOrUpdate(answer?.Status ?? 0, 1, (_, count) => count + 1);
        if (Fault(request, answer) is { } problem) Report(problem, bytes, answer, number);
        else if (answer is { Status: 200 or 201 } && answer.Body.Length > 0) await Learn(api, request, answer);
    }

    private void Report(string problem, byte[] request, RawAnswer? answer, int number)
    {
        var sent = Encoding.Latin1.GetString(request);
        wrong.Enqueue(
            $"{problem}\nNODESTASH_FUZZ_SEED={Seed}, request {number}:\n{(sent.Length > 2000 ? sent[..2000] + "…" : sent)}\nanswered "
                + $"{answer?.Status} {answer?.Body}");
    }

    private static string? Fault(FuzzRequest request, RawAnswer? answer)
    {
        if (request.MayNotComeAbout && answer is null or { Status: 400 or 408 or 411 or 413 or 414 or 417 or 431 or 501 or 505, Body: "" }) return null;
        if (answer is null) return "no answer";
        if (answer.Header("X-Request-Id") is not { } id || !id.StartsWith("req_", StringComparison.Ordinal)) return "no X-Request-Id";
        if (answer.Status is not (301 or 304 or (>= 200 and < 300) or (>= 400 and < 500))) return "a status that must not be";
        if (answer.Status is 204 or 301 or 304) return answer.Header("Content-Type") is null ? null : "the type of a body where there is none";
        if (request.Method is "HEAD") return null;
        try
        {
            var body = JsonElement.Parse(answer.Body);
            if (request.Route.EndsWith("/batch", StringComparison.Ordinal) && answer.Status == 200 && body.GetProperty("data").ValueKind is JsonValueKind.Array
                && body.GetProperty("data").EnumerateArray().Any(item => item.TryGetProperty("status", out var status) && status.GetInt32() is < 200 or >= 500))
                return "an operation with a status that must not be";
            if (answer.Status < 400) return body.GetProperty("meta").GetProperty("request_id").GetString() is not null ? null : "no request id";
            var error = answer.Header("Content-Type") is "application/problem+json" ? body : body.GetProperty("error");
            return error.GetProperty("code").GetString() is { Length: > 0 }
                && error.GetProperty(answer.Header("Content-Type") is "application/problem+json" ? "detail" : "message").GetString() is { Length: > 0 }
                ? null
                : "an error without words";
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return $"no envelope: {e.Message}";
        }
    }

    /// <summary>Takes up what a request has made, to be aimed at; and puts endpoints out of action, so that nothing is sent anywhere.</summary>
    private async Task Learn(Support.Running.Api api, FuzzRequest request, RawAnswer answer)
    {
        var body = JsonElement.Parse(answer.Body);
        if (!body.TryGetProperty("data", out var data)) return;
        if (data.ValueKind is JsonValueKind.Array)
        {
            if (body.GetProperty("meta").TryGetProperty("pagination", out var pagination) && pagination.GetProperty("next_cursor").GetString() is { } cursor)
                pool.AddCursor(cursor);
            return;
        }

        if (!data.TryGetProperty("id", out var id) || !data.TryGetProperty("type", out var type)) return;
        if (answer.Status == 201 && !IsDry(request)) pool.Add(id.GetString()!);
        var attributes = data.GetProperty("attributes");
        if (type.GetString() is "pipeline" && attributes.TryGetProperty("stages", out var stages))
            pool.AddStages(id.GetString()!, [.. stages.EnumerateArray().Select(s => s.GetProperty("id").GetString()!)]);
        if (type.GetString() is "webhook" && attributes.TryGetProperty("is_enabled", out var enabled) && enabled.GetBoolean())
            await api.Patch($"/v1/webhooks/{id.GetString()}", new { is_enabled = false });
    }

    private static bool IsDry(FuzzRequest request) => request.Query.Any(p => p.Name is "dry_run");

    /// <summary>Something of each kind, to begin with.</summary>
    private async Task Fill(Support.Running.Api api)
    {
        foreach (var (slug, type,
            options) in new[] { ("x", "select", new[] { "a", "b" }), ("n", "number", null), ("d", "date", null), ("m", "multi_select", ["a", "b"]) })
            pool.Add((await api.Create("custom-fields", new { entity_type = "contact", name = slug, slug, field_type = type, options })).Id);
        var relation = new { name = "r", slug = "r", field_type = "relation" };
        foreach (var slug in new[] { "projects", "houses" })
            pool.Add((await api.Create("objects", new { singular_name = slug, plural_name = slug, fields = new[] { relation } })).Id);
        foreach (var (collection, body) in new (string, object)[]
        {
            ("objects/projects/records", new { name = "P" }), ("objects/houses/records", new { name = "H" }),
            ("contacts", new { email = "jane@acme.com" }), ("companies", new { name = "Acme" }), ("deals", new { title = "T" }),
            ("activities", new { type = "note" }), ("tags", new { name = "a" }),
            ("webhooks", new { url = "https://127.0.0.1:9/in", is_enabled = false }), ("api-keys", new { name = "K", scopes = new[] { "contacts:read" } }),
        })
            pool.Add((await api.Create(collection, body)).Id);
        var pipeline = await api.Create(
            "pipelines", new { name = "P", stages = new object[] { new { name = "O" }, new { name = "W", type = "won" }, new { name = "L", type = "lost" } } });
        pool.Add(pipeline.Id);
        pool.AddStages(pipeline.Id, [.. pipeline["stages"].EnumerateArray().Select(s => s.GetProperty("id").GetString()!)]);
    }

    /// <summary>The same in every process, unlike <see cref="System.HashCode"/>.</summary>
    private static int HashCode(int seed, int number) => unchecked((seed * 0x1000193) ^ (number * (int)0x9E3779B1));

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : otherwise;
}

using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace NodeStash.Bench;

/// <summary>The requests one connection sends, made ahead: only ids and numbers change from one to the next.</summary>
internal abstract class Requests
{
    public abstract ReadOnlySpan<byte> Next();
}

/// <summary>Any of a number of requests.</summary>
internal sealed class AnyOf(IReadOnlyList<byte[]> requests) : Requests
{
    public override ReadOnlySpan<byte> Next() => requests[Random.Shared.Next(requests.Count)];
}

/// <summary>One request with an id, or a number that never comes twice, in the place of each mark.</summary>
internal sealed class WithIds(string request, IReadOnlyList<byte[]> ids) : Requests
{
    public const string Id = "ct_####################";
    public const string Number = "%%%%%%%%%%";

    private static long last;

    private readonly byte[] bytes = Encoding.UTF8.GetBytes(request);
    private readonly int id = request.IndexOf(Id, StringComparison.Ordinal);
    private readonly int[] numbers = [.. Enumerable.Range(0, request.Length).Where(i => request.AsSpan(i).StartsWith(Number, StringComparison.Ordinal))];

    public override ReadOnlySpan<byte> Next()
    {
        if (id >= 0) ids[Random.Shared.Next(ids.Count)].CopyTo(bytes, id);
        foreach (var at in numbers)
            Utf8Formatter.TryFormat(Interlocked.Increment(ref last), bytes.AsSpan(at, Number.Length), out _, new('D', (byte)Number.Length));
        return bytes;
    }
}

/// <summary>Several kinds, each as often as its weight says.</summary>
internal sealed class Mixed(params (int Weight, Requests Of)[] kinds) : Requests
{
    private readonly int all = kinds.Sum(kind => kind.Weight);

    public override ReadOnlySpan<byte> Next()
    {
        var drawn = Random.Shared.Next(all);
        foreach (var (weight, of) in kinds)
        {
            if ((drawn -= weight) < 0) return of.Next();
        }

        return default;
    }
}

/// <summary>The scenarios, for one server: both take the same requests.</summary>
internal sealed class Scenarios
{
    private const string Path = "/v1/contacts";

    private readonly string key;
    private readonly IReadOnlyList<byte[]> ids;
    private readonly IReadOnlyList<string> companies;
    private readonly IReadOnlyList<byte[]> pages;

    /// <param name="server">Has the contacts.</param>
    /// <param name="key">Goes into every request.</param>
    /// <param name="ids">Of the contacts.</param>
    /// <param name="companies">Ids of their companies.</param>
    public Scenarios(MeasuredProcess server, string key, IReadOnlyList<string> ids, IReadOnlyList<string> companies)
    {
        this.key = key;
        this.ids = [.. ids.Select(Encoding.ASCII.GetBytes)];
        this.companies = companies;
        pages = [.. Cursors(server).Select(cursor => Get($"{Path}?limit=20&cursor={cursor}"))];
    }

    /// <summary>Name and what makes the requests of one connection, in the order they are best measured in: those that let the table grow come last.</summary>
    public IReadOnlyList<(string Name, Func<Requests> Of)> All =>
    [
        ("get", One),
        ("page", Page),
        ("filter", () => new AnyOf([.. companies.Select(company => Get($"{Path}?company_id={company}&limit=20"))])),
        ("patch", Patch),
        ("mix", () => new Mixed((60, One()), (20, Page()), (10, Patch()), (10, Create()))),
        ("create", Create),
    ];

    private WithIds One() => new(Head("GET", $"{Path}/{WithIds.Id}") + "\r\n", ids);

    private AnyOf Page() => new(pages);

    private WithIds Patch() => new(WithBody("PATCH", $"{Path}/{WithIds.Id}", $$"""{"title":"Director no. {{WithIds.Number}}"}"""), ids);

    private WithIds Create() => new(
        WithBody("POST", Path,
            $$"""{"first_name":"Jane","last_name":"Doe {{WithIds.Number}}","email":"new.{{WithIds.Number}}@example.com","phone":"+1 555 0100","company_id":"{{companies[0]}}","title":"Director","source":"website"}"""), ids);

    private byte[] Get(string path) => Encoding.ASCII.GetBytes(Head("GET", path) + "\r\n");

    private string WithBody(string method, string path, string body) =>
        string.Create(CultureInfo.InvariantCulture, $"{Head(method, path)}Content-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}");

    private string Head(string method, string path) => $"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n";

    /// <summary>Of pages all over the table: at most a thousand.</summary>
    private List<string> Cursors(MeasuredProcess server)
    {
        using var connection = new Connection(server.Port);
        var cursors = new List<string>();
        for (string? cursor = null; cursors.Count < 1000;)
        {
            var answer = JsonDocument.Parse(connection.Exchange(Get($"{Path}?limit=100{(cursor is null ? "" : $"&cursor={cursor}")}")).ToArray());
            cursor = answer.RootElement.GetProperty("meta").GetProperty("pagination").GetProperty("next_cursor").GetString();
            if (cursor is null) return cursors;
            cursors.Add(cursor);
        }

        return cursors;
    }
}

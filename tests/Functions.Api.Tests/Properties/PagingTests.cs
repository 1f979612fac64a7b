using FsCheck.Fluent;
using NodeStash.Support.Running;
using Property = NodeStash.Support.Property;

namespace NodeStash.Functions.Api.Tests.Properties;

/// <summary>Paging shows each row that was not itself changed exactly once, in order, whatever others write meanwhile.</summary>
[Collection(nameof(OnePropertyServer))]
public sealed class PagingTests(Server server)
{
    private const string Projects = "objects/projects/records";

    private const int Staying = 24, Changing = 8, Writes = 30;

    /// <summary>The sorts of each list, and a body whose values, few so that rows tie, follow from a number.</summary>
    private static readonly (string Collection, string[] Sorts, Func<int, object> Body)[] Lists =
    [
        ("contacts", ["created_at", "updated_at", "email", "first_name", "last_name", "custom_fields[n]", "custom_fields[s]"],
            n => new { email = n % 3 == 0 ? null : $"e{Next()}@{n % 4}.com", first_name = Few(n), last_name = Few(n / 5), tags = Tags(n),
                custom_fields = Custom(n) }),
        ("companies", ["created_at", "updated_at", "name", "domain", "custom_fields[n]"],
            n => new { name = Few(n) ?? "Acme", domain = n % 3 == 0 ? null : $"{n % 4}.{Next()}.com", tags = Tags(n), custom_fields = Custom(n) }),
        ("deals", ["created_at", "updated_at", "value", "expected_close_date", "custom_fields[n]"],
            n => new { title = "T", value = n % 5 == 0 ? (int?)null : n % 3 - 1, expected_close_date = n % 3 == 0 ? null : $"2026-01-0{1 + (n % 5)}",
                tags = Tags(n), custom_fields = Custom(n) }),
        ("activities", ["created_at", "updated_at", "due_date", "custom_fields[s]"],
            n => new { type = "note", due_date = n % 3 == 0 ? null : $"2026-01-0{1 + (n % 5)}", tags = Tags(n), custom_fields = Custom(n) }),
        (Projects, ["created_at", "updated_at", "name", "custom_fields[n]", "custom_fields[s]"],
            n => new { name = Few(n) ?? "Apollo", custom_fields = Custom(n) }),
    ];

    private static readonly string[] Filters = ["", "&tags=even", "&custom_fields[n][exists]=true", "&custom_fields[n][gte]=1", "&created_at[gte]=2020-01-01",
        "&custom_fields[s][neq]=b", "&tags[in]=even,x"];

    private static int last;

    [Fact]
    public Task Any_list_with_any_sort_and_filter_shows_each_row_that_stays_as_it_is_exactly_once() => Property.Holds(
        from list in Gen.Elements(Lists)
        from sorts in Gen.Choose(1, 3)
            .SelectMany(count => Gen.ArrayOf(from name in Gen.Elements(list.Sorts) from minus in Gen.Elements("", "-") select (name, minus), count))
        from filter in Gen.Elements(Filters.Where(filter => list.Collection is not Projects || !filter.StartsWith("&tags", StringComparison.Ordinal)))
        from limit in Gen.Choose(1, 9)
        from seed in Gen.Choose(0, 1_000_000)
        select (list.Collection, sort: string.Join(',', sorts.DistinctBy(s => s.name).Select(s => s.minus + s.name)), filter, limit, seed),
        async each =>
        {
            var api = (await server.NewWorkspace()).Owner;
            foreach (var name in new[] { "projects", "houses" }) await api.Create("objects", new { singular_name = name, plural_name = name });
            await api.Create("objects/houses/records", new { name = "a", custom_fields = Custom(1) });
            var body = Lists.First(list => list.Collection == each.Collection).Body;
            var made = (await Task.WhenAll(Enumerable.Range(each.seed, Staying + Changing).Select(n => api.Create(each.Collection, body(n))))).Select(r => r.Id)
                .ToList();
            var (stays, changes) = (made.Take(Staying).ToHashSet(StringComparer.Ordinal), made.Skip(Staying).ToList());
            var path = $"/v1/{each.Collection}?sort={each.sort}{each.filter}";
            var expected = (await api.Get($"{path}&limit=100")).Is(200).Ids.Where(stays.Contains).ToList();

            var options = Task.Run(async () =>
            {
                for (var write = 0; write < Writes; write++)
                {
                    var (n, target) = ((each.seed * 7) + write, $"/v1/{each.Collection}/{changes[write % changes.Count]}");
                    if (write % 3 == 0) changes.Add((await api.Create(each.Collection, body(n))).Id);
                    else if (write % 7 == 1) await api.Delete(target);
                    else await api.Patch(target, body(n));
                }
            });
            var seen = (await api.Pages($"{path}&limit={each.limit}")).SelectMany(page => page.Ids).Where(stays.Contains).ToList();
            await options;

            Assert.Equal(expected, seen);
        },
        tests: 14);

    [Fact]
    public Task A_timeline_shows_what_was_there_exactly_once_while_more_comes() => Property.Holds(
        from limit in Gen.Choose(1, 7)
        from steps in Gen.ArrayOf(Gen.Elements(true, false), 16)
        select (limit, steps),
        async each =>
        {
            var api = (await server.NewWorkspace()).Owner;
            var id = (await api.Create("companies", new { name = "Acme" })).Id;
            async Task Grow(bool[] steps)
            {
                for (var i = 0; i < steps.Length; i++)
                {
                    if (steps[i]) await api.Create("activities", new { type = "note", company_id = id });
                    else await api.Patch($"/v1/companies/{id}", new { name = $"Acme {Next()}" });
                }
            }

            await Grow(each.steps);
            var there = (await api.Get($"/v1/companies/{id}/timeline?limit=100")).Is(200).Ids;
            var growing = Task.Run(() => Grow(each.steps));
            var seen = (await api.Pages($"/v1/companies/{id}/timeline?limit={each.limit}")).SelectMany(page => page.Ids).ToList();
            await growing;

            Assert.Equal(there, seen.Where(there.Contains));
            Assert.Equal(each.steps.Length + 1, there.Count);
        },
        tests: 12);

    private static int Next() => Interlocked.Increment(ref last);

    private static string? Few(int n) => (n % 6) switch { 0 => null, 1 => "a", 2 => "A", 3 => "b", 4 => "ä", _ => "😀" };

    private static string[] Tags(int n) => n % 2 == 0 ? ["even"] : ["odd"];

    private static Dictionary<string, object> Custom(int n)
    {
        var values = new Dictionary<string, object>();
        if (n % 4 != 0) values["n"] = n % 3;
        if (n % 5 != 0) values["s"] = (n % 5) switch { 1 => "a", 2 => "b", 3 => 1.5, _ => new[] { "b" } };
        return values;
    }
}

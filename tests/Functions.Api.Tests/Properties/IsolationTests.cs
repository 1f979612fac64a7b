using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using NodeStash.Support.Running;
using Property = NodeStash.Support.Property;

namespace NodeStash.Functions.Api.Tests.Properties;

/// <summary>
/// Nothing of one environment is ever seen from another: several workspaces and environments at work at once, each held against a plain model of its
/// own.
/// </summary>
[Collection(nameof(OnePropertyServer))]
public sealed class IsolationTests(Server server)
{
    /// <summary>Which field of which collection links where.</summary>
    private static readonly (string From, string Field, string To)[] Links =
    [
        ("contacts", "company_id", "companies"), ("deals", "company_id", "companies"), ("deals", "contact_id", "contacts"),
        ("activities", "company_id", "companies"), ("activities", "contact_id", "contacts"), ("activities", "deal_id", "deals"),
    ];

    /// <summary>Of a custom object that each environment defines for itself.</summary>
    private const string Projects = "objects/projects/records";

    private static readonly string[] Collections = ["companies", "contacts", "deals", "activities", "custom-fields", "webhooks", Projects];
    private static readonly string[] WithTimeline = ["companies", "contacts", "deals"];

    private static readonly Gen<Step> Steps =
        from what in Gen.Frequency((5, Gen.Constant(What.Create)), (3, Gen.Constant(What.Update)), (2, Gen.Constant(What.Delete)))
        from collection in Gen.Elements(Collections)
        from unique in Gen.Choose(0, 5)
        from target in Gen.Choose(0, 10_000)
        from links in Gen.ArrayOf(Gen.Choose(0, 10_000), 3)
        select new Step(what, collection, unique, target, links);

    [Fact]
    public Task No_sequence_of_operations_shows_one_data_set_anything_of_another() => Property.Holds(
        Gen.ArrayOf(Gen.ArrayOf(Steps, 30), 4),
        async steps =>
        {
            var (first, second) = ((await server.NewWorkspace()).Owner, (await server.NewWorkspace()).Owner);
            DataSet[] sets = [new(first), new(await first.InTest()), new(second), new(await second.InTest())];
            foreach (var set in sets) await set.Define();
            await Task.WhenAll(sets.Zip(steps).Select(async pair =>
            {
                foreach (var step in pair.Second) await pair.First.Do(step, sets);
            }));
            foreach (var set in sets) await set.Check([.. sets.Where(other => other != set)]);
        },
        tests: 8);

    private enum What
    {
        Create,
        Update,
        Delete,
    }

    /// <param name="What">What is done.</param>
    /// <param name="Collection">To what.</param>
    /// <param name="Unique">Makes the value that no two may share.</param>
    /// <param name="Target">Picks the record, of whatever environment.</param>
    /// <param name="Links">Pick what it links to, of whatever environment.</param>
    private sealed record Step(What What, string Collection, int Unique, int Target, int[] Links);

    /// <summary>An environment and what should be in it.</summary>
    private sealed class DataSet(Support.Running.Api api)
    {
        private readonly Dictionary<string, (string Collection, Dictionary<string, string?> Fields)> model = new(StringComparer.Ordinal);
        private readonly HashSet<string> ever = new(StringComparer.Ordinal);

        public Task Define() => api.Create("objects", new { singular_name = "Project", plural_name = "Projects" });

        public async Task Do(Step step, DataSet[] all)
        {
            switch (step.What)
            {
                case What.Create: await Create(step, all); break;
                case What.Update: await Update(step, all); break;
                default: await Delete(step, all); break;
            }
        }

        /// <summary>Every list, single record, timeline, filter and the event log show what is in the model, and nothing of the others.</summary>
        public async Task Check(DataSet[] others)
        {
            foreach (var collection in Collections)
            {
                var listed = (await api.Get($"/v1/{collection}?limit=100")).Is(200).List;
                var expected = model.Where(row => row.Value.Collection == collection).Select(row => row.Key).ToList();
                Assert.Equal(expected.Order(StringComparer.Ordinal), listed.Select(item => item.GetProperty("id").GetString()!).Order(StringComparer.Ordinal));
                foreach (var item in listed) Same(model[item.GetProperty("id").GetString()!].Fields, item.GetProperty("attributes"));
                foreach (var id in expected) Same(model[id].Fields, (await api.Get($"/v1/{collection}/{id}")).Is(200).Data.GetProperty("attributes"));
            }

            foreach (var (id, (collection, _)) in model.Where(row => WithTimeline.Contains(row.Value.Collection)))
            {
                var entries = (await api.Get($"/v1/{collection}/{id}/timeline?limit=100")).Is(200).List;
                var link = Links.First(l => l.From == "activities" && l.To == collection).Field;
                Assert.Equal(
                    model.Where(row => row.Value.Collection == "activities" && row.Value.Fields[link] == id).Select(row => row.Key)
                        .Order(StringComparer.Ordinal),
                    entries.Where(e => e.GetProperty("type").GetString() == "activity").Select(e => e.GetProperty("id").GetString()!)
                        .Order(StringComparer.Ordinal));
                Assert.All(entries.Where(e => e.GetProperty("type").GetString() == "event"),
                    e => Assert.Equal(id, e.GetProperty("attributes").GetProperty("data").GetProperty("id").GetString()));
            }

            var told = new HashSet<string>(StringComparer.Ordinal);
            for (var (cursor, hasMore) = ("", true); hasMore;)
            {
                var page = (await api.Get($"/v1/events?limit=100{cursor}")).Is(200);
                told.UnionWith(page.List.Select(e => e.GetProperty("attributes").GetProperty("data").GetProperty("id").GetString()!));
                (cursor, hasMore) =
                    ($"&cursor={page.NextCursor}", page.Body.GetProperty("meta").GetProperty("pagination").GetProperty("has_more").GetBoolean());
            }

            foreach (var other in others)
            {
                Assert.DoesNotContain(told, other.ever.Contains);
                foreach (var (id, (collection, _)) in other.model.Take(12))
                {
                    (await api.Get($"/v1/{collection}/{id}")).IsNotFound();
                    Assert.Empty((await api.Get($"/v1/events?record_id={id}")).Is(200).List);
                    if (WithTimeline.Contains(collection)) (await api.Get($"/v1/{collection}/{id}/timeline")).IsNotFound();
                    foreach (var link in Links.Where(l => l.To == collection)) Assert.Empty((await api.Get($"/v1/{link.From}?{link.Field}={id}")).Is(200).List);
                }
            }
        }

        private async Task Create(Step step, DataSet[] all)
        {
            var (fields, sound) = FieldsOf(step, all);
            var reply = await api.Post($"/v1/{step.Collection}", Body(step, fields));
            if (!sound) reply.IsError(422, "UNPROCESSABLE_ENTITY");
            else if (UniqueOf(step.Collection) is { } unique && IsTaken(step.Collection, unique, fields[unique], null)) reply.IsError(409, "CONFLICT");
            else Put(reply.Is(201).Id, step.Collection, fields);
        }

        private async Task Update(Step step, DataSet[] all)
        {
            if (Target(step, all) is not { } id) return;
            var (fields, sound) = FieldsOf(step, all);
            foreach (var fixedOne in fields.Keys.Where(name => name is "slug").ToList()) fields.Remove(fixedOne);
            var reply = await api.Patch($"/v1/{step.Collection}/{id}", fields);
            if (!model.TryGetValue(id, out var row)) reply.IsNotFound();
            else if (!sound) reply.IsError(422, "UNPROCESSABLE_ENTITY");
            else if (UniqueOf(step.Collection) is { } unique && fields.TryGetValue(unique, out var given) && IsTaken(step.Collection, unique, given, id))
                reply.IsError(409, "CONFLICT");
            else
            {
                reply.Is(200);
                foreach (var (name, value) in fields) row.Fields[name] = value;
            }
        }

        private async Task Delete(Step step, DataSet[] all)
        {
            if (Target(step, all) is not { } id) return;
            var reply = await api.Delete($"/v1/{step.Collection}/{id}");
            if (!Has(id)) reply.IsNotFound();
            else
            {
                reply.Is(204);
                lock (ever) model.Remove(id);
                foreach (var (from, field, _) in Links.Where(l => l.To == step.Collection))
                {
                    foreach (var row in model.Values.Where(row => row.Collection == from && row.Fields[field] == id)) row.Fields[field] = null;
                }
            }
        }

        private bool Has(string id) => model.ContainsKey(id);

        private void Put(string id, string collection, Dictionary<string, string?> fields)
        {
            lock (ever)
            {
                ever.Add(id);
                model[id] = (collection, fields);
            }
        }

        /// <summary>A record of the collection, of any of the environments.</summary>
        private static string? Target(Step step, DataSet[] all) => Pick(step.Target, step.Collection, all);

        private static string? Pick(int choice, string collection, DataSet[] all)
        {
            var ids = all.SelectMany(set => set.IdsOf(collection)).ToList();
            return ids.Count == 0 ? null : ids[choice % ids.Count];
        }

        private List<string> IdsOf(string collection)
        {
            lock (ever) return [.. model.Where(row => row.Value.Collection == collection).Select(row => row.Key)];
        }

        /// <summary>The fields a step gives; not sound where a link leads to another environment.</summary>
        private (Dictionary<string, string?> Fields, bool Sound) FieldsOf(Step step, DataSet[] all)
        {
            var fields = new Dictionary<string, string?>(
                StringComparer.Ordinal)
            {
                [step.Collection switch
                {
                    "contacts" => "email",
                    "companies" => "domain",
                    "deals" => "title",
                    "activities" => "subject",
                    "webhooks" => "description",
                    Projects => "name",
                    _ => "slug"
                }] = Value(step)
            };
            var links = Links.Where(l => l.From == step.Collection).ToList();
            for (var i = 0; i < links.Count; i++) fields[links[i].Field] = step.Links[i] % 3 == 0 ? null : Pick(step.Links[i], links[i].To, all);
            return (fields, links.All(link => fields[link.Field] is not { } id || Has(id)));
        }

        private static string Value(Step step) => step.Collection is "contacts" ? $"e{step.Unique}@x.com" : $"v{step.Unique}";

        private static object Body(Step step, Dictionary<string, string?> fields)
        {
            var body = fields.ToDictionary(f => f.Key, f => (object?)f.Value);
            foreach (var (name, value) in step.Collection switch
            {
                "companies" => new (string, object)[] { ("name", "Acme") },
                "activities" => [("type", "note")],
                "custom-fields" => [("entity_type", "contact"), ("field_type", "text"), ("name", "F")],
                "webhooks" => [("url", "https://127.0.0.1:9/in"), ("is_enabled", false)],
                _ => [],
            })
                body[name] = value;
            return body;
        }

        private static string? UniqueOf(string collection) =>
            collection switch { "contacts" => "email", "companies" => "domain", "custom-fields" => "slug", _ => null };

        private bool IsTaken(string collection, string unique, string? value, string? by) =>
            model.Any(row => row.Key != by && row.Value.Collection == collection && row.Value.Fields[unique] == value);

        private static void Same(Dictionary<string, string?> fields, JsonElement attributes)
        {
            foreach (var (name, value) in fields) Assert.Equal(value, attributes.GetProperty(name).GetString());
        }
    }
}

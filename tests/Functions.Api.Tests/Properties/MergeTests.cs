using FsCheck.Fluent;
using NodeStash.Support.Running;
using Property = NodeStash.Support.Property;

namespace NodeStash.Functions.Api.Tests.Properties;

/// <summary>A merge of contacts keeps every activity and deal, once, while others write and merge.</summary>
[Collection(nameof(OnePropertyServer))]
public sealed class MergeTests(Server server)
{
    [Fact]
    public Task Every_activity_and_deal_is_there_once_and_with_a_contact_that_exists() => Property.Holds(
        from contacts in Gen.Choose(2, 6)
        from owners in Gen.Choose(1, 40).SelectMany(count => Gen.ArrayOf(Gen.Choose(0, contacts - 1), count))
        from merges in Gen.Choose(1, 5)
            .SelectMany(count =>
                Gen.ArrayOf(from target in Gen.Choose(0, contacts - 1) from sources in Gen.ArrayOf(Gen.Choose(0, contacts - 1), 2) select (target, sources),
                    count))
        from late in Gen.ArrayOf(Gen.Choose(0, contacts - 1), 6)
        select (contacts, owners, merges, late),
        async each =>
        {
            var workspace = await server.NewWorkspace();
            var api = workspace.Owner;
            var contacts = (await Task.WhenAll(Enumerable.Range(0, each.contacts).Select(_ => api.Create("contacts", new { })))).Select(c => c.Id).ToList();
            Task<Reply> Add(int owner, bool isDeal) =>
                isDeal
                    ? api.Post("/v1/deals", new { title = "T", contact_id = contacts[owner] })
                    : api.Post("/v1/activities", new { type = "note", contact_id = contacts[owner] });
            var made = (await Task.WhenAll(each.owners.Select((owner, i) => Add(owner, i % 2 == 0)))).Select(reply => reply.Is(201).Id)
                .ToHashSet(StringComparer.Ordinal);

            var merging = each.merges.Select(
                merge => api.Post(
                    "/v1/contacts/merge", new { target_id = contacts[merge.target], source_ids = merge.sources.Select(source => contacts[source]) })).ToList();
            var adding = each.late.Select((owner, i) => Add(owner, i % 2 == 0)).ToList();
            foreach (var reply in await Task.WhenAll(merging)) Assert.True(reply.Status is 200 or 400 or 404, reply.Raw);
            foreach (var reply in await Task.WhenAll(adding))
            {
                // Whom it is for may be gone by then.
                if (reply.Status == 201) made.Add(reply.Id);
                else reply.IsError(422, "UNPROCESSABLE_ENTITY", "contact_id");
            }

            // At once, and again when all records have been reached.
            for (var settled = false; ; settled = true)
            {
                var left = (await api.Get("/v1/contacts?limit=100")).Is(200).Ids;
                var found = new List<string>();
                foreach (var contact in left)
                {
                    foreach (var collection in new[] { "activities", "deals" })
                        found.AddRange((await api.Get($"/v1/{collection}?contact_id={contact}&limit=100")).Is(200).Ids);
                }

                Assert.Equal(made.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
                if (settled) break;
                await server.Settled(workspace);
            }
        },
        tests: 25);
}

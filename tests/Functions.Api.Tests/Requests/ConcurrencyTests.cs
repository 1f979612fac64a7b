using System.Text.Json;
using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Requests;

/// <summary>Many clients that change the same things at once.</summary>
public sealed class ConcurrencyTests(Server server) : ApiTests(server)
{
    [Fact]
    public async Task Clients_that_count_with_If_Match_lose_no_step()
    {
        const int Clients = 8, Steps = 10;
        var path = $"/v1/contacts/{(await Api.Create("contacts", new { custom_fields = new { count = 0 } })).Id}";

        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async _ =>
        {
            for (var step = 0; step < Steps;)
            {
                var read = (await Api.Get(path)).Is(200);
                var next = read["custom_fields"].GetProperty("count").GetInt32() + 1;
                if ((await Api.Patch(path, new { custom_fields = new { count = next } }, ("If-Match", read.ETag))) is { Status: 200 }) step++;
            }
        }));

        var counted = await Api.Get(path);
        Assert.Equal((Clients * Steps, $"\"{(Clients * Steps) + 1}\""), (counted["custom_fields"].GetProperty("count").GetInt32(), counted.ETag));
    }

    [Fact]
    public async Task Without_If_Match_the_last_change_of_each_field_wins()
    {
        string[] fields = ["first_name", "last_name", "phone", "title"];
        var contact = await Api.Create("contacts", new { });
        var path = $"/v1/contacts/{contact.Id}";

        var replies = await Task.WhenAll(
            Enumerable.Range(0, 48)
                .Select(async i => (Field: fields[i % fields.Length], Value: $"v{i}",
                    Reply: (await Api.Patch(path, new Dictionary<string, string> { [fields[i % fields.Length]] = $"v{i}" })).Is(200))));

        var stored = await Api.Get(path);
        foreach (var field in fields)
        {
            var last = replies.Where(r => r.Field == field).MaxBy(r => int.Parse(r.Reply.ETag.Trim('"'), System.Globalization.CultureInfo.InvariantCulture));
            Assert.Equal(last.Value, stored.Text(field));
        }

        Assert.Equal(replies.Length, replies.Select(r => r.Reply.ETag).Distinct().Count());
        await EventsTellEveryVersion(contact.Id, replies.Length + 1);
    }

    [Fact]
    public async Task An_email_that_many_take_change_and_give_up_is_free_in_the_end_and_never_had_by_two()
    {
        await Task.WhenAll(Enumerable.Range(0, 12).Select(async client =>
        {
            for (var round = 0; round < 8; round++)
            {
                var created = await Api.Post("/v1/contacts", new { email = "one@race.com" });
                if (created.Status != 201)
                {
                    created.IsError(409, "CONFLICT", "email");
                    continue;
                }

                Assert.Equal([created.Id], (await Api.Get("/v1/contacts?email[eq]=one@race.com")).Ids);
                if (round % 2 == 0) (await Api.Patch($"/v1/contacts/{created.Id}", new { email = $"other{client}.{round}@race.com" })).Is(200);
                else (await Api.Delete($"/v1/contacts/{created.Id}")).Is(204);
            }
        }));

        Assert.Empty((await Api.Get("/v1/contacts?email[eq]=one@race.com")).List);
        await Api.Create("contacts", new { email = "ONE@race.com" });
    }

    [Fact]
    public async Task Of_changes_and_a_deletion_at_once_nothing_comes_after_the_deletion()
    {
        for (var round = 0; round < 5; round++)
        {
            var contact = await Api.Create("contacts", new { });
            var path = $"/v1/contacts/{contact.Id}";
            var replies = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => i == 6 ? Api.Delete(path) : Api.Patch(path, new { first_name = $"n{i}" })));

            Assert.All(replies, reply => Assert.Contains(reply.Status, new[] { 200, 204, 404 }));
            var told = await EventsTellEveryVersion(contact.Id, replies.Count(r => r.Status is 200 or 204) + 1);
            Assert.Equal("contact.deleted", told[^1].GetProperty("event").GetString());
            (await Api.Get(path)).IsNotFound();
        }
    }

    private async Task<IReadOnlyList<JsonElement>> EventsTellEveryVersion(string id, int versions)
    {
        var told = await Server.EventsOf(Workspace, id);
        Assert.Equal(Enumerable.Range(1, versions), told.Select(e => e.GetProperty("metadata").GetProperty("version").GetInt32()));
        return told;
    }
}

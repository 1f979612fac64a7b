using NodeStash.Contract.Tests.Running;

namespace NodeStash.Contract.Tests;

/// <summary>The API's contract, <c>POST /v1/contacts/merge</c>.</summary>
public sealed class MergeTests(Deployment deployment) : ContractTests(deployment)
{
    [Fact]
    public async Task The_target_takes_what_it_lacks_and_the_sources_go()
    {
        var (target, source) = (await Contact(new { first_name = "Jane", tags = new[] { "a" } }),
            await Contact(new { first_name = "Joan", email = Email(), tags = new[] { "b" } }));

        var merged = await Merge(target.Id, source.Id);

        Assert.Equal((target.Id, "\"Jane\"", $"\"{Email()}\"", """["a","b"]"""), (merged.Is(200).Id, merged["first_name"], merged["email"], merged["tags"]));
        Assert.Equal(merged.Data.Compact(), (await Api.Get($"contacts/{target.Id}")).Is(200).Data.Compact());
        Assert.EndsWith($"/v1/contacts/{target.Id}", (await Api.Get($"contacts/{source.Id}")).Is(301).Header("Location"), StringComparison.Ordinal);
        (await Api.Patch($"contacts/{source.Id}", new { })).IsError(404, "NOT_FOUND");
    }

    [Fact]
    public async Task Activities_and_deals_move_to_the_target()
    {
        var (target, source) = (await Contact(), await Contact());
        var (activity, deal) =
            (await Create("activities", new { type = "note", contact_id = source.Id }), await Deal(new { title = "Licence", contact_id = source.Id }));

        (await Merge(target.Id, source.Id)).Is(200);

        Assert.Equal([activity.Id], (await Api.Get($"activities?contact_id={target.Id}")).Is(200).Ids);
        Assert.Equal([deal.Id], (await Api.Get($"deals?contact_id={target.Id}")).Is(200).Ids);
    }

    [Fact]
    public async Task One_contact_merged_event_has_the_source_ids_and_each_source_has_a_contact_deleted()
    {
        var (target, one, two) = (await Contact(), await Contact(), await Contact());

        (await Merge(target.Id, one.Id, two.Id)).Is(200);

        var merged = Assert.Single((await Api.Get($"events?record_id={target.Id}&type=contact.merged")).Is(200).List);
        Assert.Equal([one.Id, two.Id], merged["attributes"]!["data"]!["source_ids"]!.AsArray().Select(id => (string?)id));
        foreach (var source in new[] { one, two }) Assert.Single((await Api.Get($"events?record_id={source.Id}&type=contact.deleted")).Is(200).List);
    }

    [Fact]
    public async Task A_contact_that_does_not_exist_is_404_and_nothing_is_merged()
    {
        var (target, source) = (await Contact(), await Contact());

        (await Merge(target.Id, source.Id, NoOne("ct_"))).IsError(404, "NOT_FOUND");
        (await Merge(NoOne("ct_"), source.Id)).IsError(404, "NOT_FOUND");
        (await Merge(target.Id)).IsInvalid("source_ids");
        (await Merge(target.Id, NoOne("co_"))).IsInvalid("source_ids[0]");

        foreach (var contact in new[] { target, source }) Assert.Equal(contact.ETag, (await Api.Get($"contacts/{contact.Id}")).Is(200).ETag);
    }

    [Fact]
    public async Task A_dry_run_shows_the_outcome_and_changes_nothing()
    {
        var (target, source) = (await Contact(), await Contact(new { email = Email() }));

        var shown = (await Api.Post("contacts/merge?dry_run=true", new { target_id = target.Id, source_ids = new[] { source.Id } })).Is(200);

        Assert.Equal($"\"{Email()}\"", shown["email"]);
        Assert.Equal("null", (await Api.Get($"contacts/{target.Id}")).Is(200)["email"]);
        (await Api.Get($"contacts/{source.Id}")).Is(200);
    }

    private Task<Answer> Merge(string target, params string[] sources) => Api.Post("contacts/merge", new { target_id = target, source_ids = sources });
}

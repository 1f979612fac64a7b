using NodeStash.Functions.Api.Tests.ApiKeys;

namespace NodeStash.Functions.Api.Tests.Activities;

public sealed class TimelineClockTests(ClockedServer server) : IClassFixture<ClockedServer>
{
    [Fact]
    public async Task Pages_skip_nothing_where_the_clock_was_set_back()
    {
        var api = (await server.NewWorkspace()).Owner;
        var contact = await api.Create("contacts", new { first_name = "Jane" });
        async Task<string> Note() => (await api.Create("activities", new { type = "note", contact_id = contact.Id })).Id;
        var ids = new List<string> { await Note() };
        server.Clock.Now -= TimeSpan.FromHours(1);
        await api.Patch($"/v1/contacts/{contact.Id}", new { first_name = "Joan" });
        ids.Add(await Note());
        server.Clock.Now += TimeSpan.FromHours(1);

        var whole = (await api.Get($"/v1/contacts/{contact.Id}/timeline")).Is(200).Ids;
        Assert.Equal(4, whole.Count);
        foreach (var limit in new[] { 1, 2, 3 })
        {
            var paged = (await api.Pages($"/v1/contacts/{contact.Id}/timeline?limit={limit}")).SelectMany(page => page.Ids).ToList();
            Assert.Equal(whole.Order(StringComparer.Ordinal), paged.Order(StringComparer.Ordinal));
        }

        Assert.All(ids, id => Assert.Contains(id, whole));
    }
}

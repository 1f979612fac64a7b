using NodeStash.Support.Clocks;
using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.ApiKeys;

/// <summary>What happens to keys as time goes by.</summary>
public sealed class ApiKeyTimeTests(ClockedServer server) : IClassFixture<ClockedServer>
{
    private static readonly string[] Everything = ["*"];

    [Fact]
    public async Task A_key_works_until_it_expires()
    {
        var owner = (await server.NewWorkspace()).Owner;
        var key = await owner.Create("api-keys", new { name = "Sync", scopes = Everything, expires_at = server.Clock.Now.AddHours(1) });
        var caller = owner.With(key.Text("secret"));
        server.Clock.Now += TimeSpan.FromMinutes(59);
        (await caller.Get("/v1/contacts")).Is(200);
        server.Clock.Now += TimeSpan.FromMinutes(1);
        (await caller.Get("/v1/contacts")).IsError(401, "INVALID_API_KEY");
        (await owner.Get("/v1/contacts")).Is(200);
    }

    [Fact]
    public async Task After_a_rotation_the_old_secret_works_through_its_grace()
    {
        var owner = (await server.NewWorkspace()).Owner;
        var key = await owner.Create("api-keys", new { name = "Sync", scopes = Everything });
        var rotated = (await owner.Post($"/v1/api-keys/{key.Id}/rotate", new { grace_seconds = 60 })).Is(200);
        var (old, renewed) = (owner.With(key.Text("secret")), owner.With(rotated.Text("secret")));
        Assert.Equal(key.Id, rotated.Id);
        Assert.Equal(rotated.Text("secret")![..12], rotated.Text("prefix"));

        server.Clock.Now += TimeSpan.FromSeconds(59);
        (await old.Get("/v1/contacts")).Is(200);
        (await renewed.Get("/v1/contacts")).Is(200);
        server.Clock.Now += TimeSpan.FromSeconds(1);
        (await old.Get("/v1/contacts")).IsError(401, "INVALID_API_KEY");
        (await renewed.Get("/v1/contacts")).Is(200);
    }

    [Fact]
    public async Task Grace_is_a_day_unless_told_otherwise_and_none_where_zero()
    {
        var owner = (await server.NewWorkspace()).Owner;
        var key = await owner.Create("api-keys", new { name = "Sync", scopes = Everything });
        var second = (await owner.Send(HttpMethod.Post, $"/v1/api-keys/{key.Id}/rotate", null)).Is(200);
        server.Clock.Now += TimeSpan.FromHours(23);
        (await owner.With(key.Text("secret")).Get("/v1/contacts")).Is(200);
        server.Clock.Now += TimeSpan.FromHours(1);
        (await owner.With(key.Text("secret")).Get("/v1/contacts")).IsError(401, "INVALID_API_KEY");

        var third = (await owner.Post($"/v1/api-keys/{key.Id}/rotate", new { grace_seconds = 0 })).Is(200);
        (await owner.With(second.Text("secret")).Get("/v1/contacts")).IsError(401, "INVALID_API_KEY");
        (await owner.With(third.Text("secret")).Get("/v1/contacts")).Is(200);
    }

    [Fact]
    public async Task A_rotation_does_not_lengthen_the_life_of_a_key()
    {
        var owner = (await server.NewWorkspace()).Owner;
        var key = await owner.Create("api-keys", new { name = "Sync", scopes = Everything, expires_at = server.Clock.Now.AddMinutes(5) });
        var rotated = (await owner.Post($"/v1/api-keys/{key.Id}/rotate", new { })).Is(200);
        server.Clock.Now += TimeSpan.FromMinutes(5);
        (await owner.With(key.Text("secret")).Get("/v1/contacts")).IsError(401, "INVALID_API_KEY");
        (await owner.With(rotated.Text("secret")).Get("/v1/contacts")).IsError(401, "INVALID_API_KEY");
    }

    [Fact]
    public async Task Last_used_at_follows_to_the_minute()
    {
        var owner = (await server.NewWorkspace()).Owner;
        var key = await owner.Create("api-keys", new { name = "Sync", scopes = Everything });
        var caller = owner.With(key.Text("secret"));
        async Task<DateTimeOffset> LastUsed() => (await owner.Get($"/v1/api-keys/{key.Id}"))["last_used_at"].GetDateTimeOffset();

        await caller.Get("/v1/contacts");
        var first = server.Clock.Now;
        Assert.Equal(first, await LastUsed());
        server.Clock.Now += TimeSpan.FromSeconds(59);
        await caller.Get("/v1/contacts");
        Assert.Equal(first, await LastUsed());
        server.Clock.Now += TimeSpan.FromSeconds(1);
        await caller.Get("/v1/contacts");
        Assert.Equal(server.Clock.Now, await LastUsed());
    }

    [Fact]
    public async Task An_update_moves_updated_at_and_leaves_created_at()
    {
        var owner = (await server.NewWorkspace()).Owner;
        var contact = await owner.Create("contacts", new { });
        server.Clock.Now += TimeSpan.FromSeconds(90);
        var updated = await owner.Patch($"/v1/contacts/{contact.Id}", new { first_name = "Jane" });
        Assert.Equal(contact.Text("created_at"), updated.Text("created_at"));
        Assert.Equal(server.Clock.Now, updated["updated_at"].GetDateTimeOffset());
    }
}

/// <summary>A server whose clock stands still until a test moves it.</summary>
public sealed class ClockedServer : Server
{
    public SettableClock Clock { get; } = new(new DateTimeOffset(2026, 1, 15, 10, 30, 0, TimeSpan.Zero));

    protected override TimeProvider Time => Clock;
}

namespace NodeStash.Azure.Tests.Serving;

public sealed class SessionTests : IAsyncLifetime
{
    private const string Header = "X-NodeStash-Session";
    private readonly CosmosServer server = new();

    public ValueTask InitializeAsync() => server.InitializeAsync();

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task An_answer_has_a_session_that_can_be_sent_back()
    {
        var owner = (await server.NewWorkspace()).Owner;
        var created = await owner.Create("contacts", new { email = "jane@example.com" });

        var read = (await owner.Get($"/v1/contacts/{created.Id}", (Header, created.Header(Header)!))).Is(200);

        Assert.NotNull(read.Header(Header));
    }

    [Fact]
    public async Task What_is_no_session_is_refused_by_its_name()
    {
        var owner = (await server.NewWorkspace()).Owner;

        (await owner.Get("/v1/contacts", (Header, "yesterday"))).IsInvalid(Header);
    }

    /// <summary>It could be another database's.</summary>
    [Fact]
    public async Task What_a_session_has_seen_and_the_service_has_not_is_not_answered()
    {
        var owner = (await server.NewWorkspace()).Owner;

        (await owner.Get("/v1/contacts", (Header, "0:-1#999999999"))).IsError(503, "UNAVAILABLE");
    }
}

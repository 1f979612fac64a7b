using NodeStash.CosmosStandIn;
using NodeStash.Support.Running;

namespace NodeStash.Azure.Tests.Serving;

/// <summary>A store that does not answer, or has no throughput left.</summary>
public sealed class UnavailableTests : IAsyncLifetime
{
    private readonly CosmosServer server = new();

    public ValueTask InitializeAsync() => server.InitializeAsync();

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Theory]
    [InlineData(1, "1")]
    [InlineData(2400, "3")]
    [InlineData(7000, "7")]
    public async Task Who_finds_no_throughput_left_is_told_how_long_the_service_wants_to_wait(int milliseconds, string seconds)
    {
        var owner = (await server.NewWorkspace()).Owner;
        var contact = await owner.Create("contacts", new { email = "jane@example.com" });
        server.Account.Faults.RetryAfter = TimeSpan.FromMilliseconds(milliseconds);
        (RequestKind Kind, Func<Task<Reply>> Request)[] requests =
        [
            (RequestKind.Read, () => owner.Get($"/v1/contacts/{contact.Id}")),
            (RequestKind.Query, () => owner.Get("/v1/contacts")),
            (RequestKind.Batch, () => owner.Post("/v1/contacts", new { email = "john@example.com" })),
        ];

        foreach (var (kind, request) in requests)
        {
            server.Account.Faults.Next(Fault.TooManyRequests, 10_000, request => request.Kind == kind && request.Container == "crm");
            Assert.Equal(seconds, (await request()).IsError(503, "UNAVAILABLE").Header("Retry-After"));
            server.Account.Faults.Clear();
        }

        Assert.Single((await owner.Get("/v1/contacts")).Is(200).Ids);
    }

    [Fact]
    public async Task Without_the_store_it_is_not_ready_and_says_so()
    {
        Assert.Equal("""{"status":"ok",""", (await server.Anonymous.Get("/health/ready")).Is(200).Raw[..15]);
        server.Account.Faults.RetryAfter = TimeSpan.FromSeconds(7);
        server.Account.Faults.Next(Fault.TooManyRequests, 10_000);

        var reply = (await server.Anonymous.Get("/health/ready")).IsError(503, "UNAVAILABLE", "store");

        Assert.Equal("7", reply.Header("Retry-After"));
        Assert.DoesNotContain("Cosmos", reply.Raw, StringComparison.OrdinalIgnoreCase);
    }
}

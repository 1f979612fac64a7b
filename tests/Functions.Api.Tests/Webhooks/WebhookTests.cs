using System.Text;
using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Webhooks;

public sealed class WebhookTests(Server server) : ApiTests(server)
{
    private const string Url = "https://hooks.example.com/in";

    [Fact]
    public async Task It_is_answered_whole_and_its_secret_once()
    {
        var webhook = await Api.Create("webhooks", new { url = Url });
        Assert.Equal("webhook", webhook.Data.GetProperty("type").GetString());
        Assert.StartsWith("wh_", webhook.Id, StringComparison.Ordinal);
        string[] shown = ["id", "url", "description", "events", "is_enabled", "disabled_reason", "created_at", "updated_at"];
        Assert.Equal([.. shown, "secret"], webhook.Data.GetProperty("attributes").EnumerateObject().Select(p => p.Name));
        Assert.Equal(("""["*"]""", "true"), (webhook.Json("events"), webhook.Json("is_enabled")));
        var secret = webhook.Text("secret")!;
        Assert.StartsWith("whsec_", secret, StringComparison.Ordinal);
        Assert.Equal(32, Convert.FromBase64String(secret["whsec_".Length..]).Length);

        var read = (await Api.Get($"/v1/webhooks/{webhook.Id}")).Is(200);
        Assert.Equal(shown, read.Data.GetProperty("attributes").EnumerateObject().Select(p => p.Name));
        Assert.DoesNotContain("secret", (await Api.Get("/v1/webhooks")).Raw, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", (await Api.Patch($"/v1/webhooks/{webhook.Id}", new { description = "D" })).Raw, StringComparison.Ordinal);
        Assert.False(Files.Contain(Server.Folder, Convert.FromBase64String(secret["whsec_".Length..])));
        Assert.False(Files.Contain(Server.Folder, Encoding.UTF8.GetBytes(secret["whsec_".Length..])));
    }

    [Theory]
    [InlineData("""{}""", "url")]
    [InlineData("""{"url":""}""", "url")]
    [InlineData("""{"url":"hooks.example.com"}""", "url")]
    [InlineData("""{"url":"ftp://hooks.example.com"}""", "url")]
    [InlineData("""{"url":"http://hooks.example.com"}""", "url")]
    [InlineData("""{"url":"http://10.0.0.1"}""", "url")]
    [InlineData("""{"url":"https://user:pass@hooks.example.com"}""", "url")]
    [InlineData("""{"url":"https://hooks.example.com/#part"}""", "url")]
    [InlineData("""{"url":5,"events":"*","is_enabled":"no"}""", "url", "events", "is_enabled")]
    [InlineData("""{"url":"https://a.example.com","events":[]}""", "events")]
    [InlineData("""{"url":"https://a.example.com","events":["contact","deal.won","*.created","contact.created"]}""", "events[0]", "events[1]", "events[2]")]
    [InlineData("""{"url":"https://a.example.com","secret":"mine"}""", "secret")]
    [InlineData("""{"url":"https://a.example.com","disabled_reason":"x"}""", "disabled_reason")]
    public async Task A_faulty_webhook_is_refused(string body, params string[] fields) => (await Api.Post("/v1/webhooks", body)).IsInvalid(fields);

    [Theory]
    [InlineData("http://localhost:9/in")]
    [InlineData("http://127.0.0.1:9/in")]
    [InlineData("https://hooks.example.com:8443/in?x=1")]
    public async Task Https_is_taken_and_http_to_this_machine(string url) =>
        Assert.Equal(url, (await Api.Create("webhooks", new { url, is_enabled = false })).Text("url"));

    [Fact]
    public async Task A_description_has_at_most_500_characters()
    {
        await Api.Create("webhooks", new { url = Url, description = new string('x', 500) });
        (await Api.Post("/v1/webhooks", new { url = Url, description = new string('x', 501) })).IsInvalid("description");
    }

    [Fact]
    public async Task It_is_updated_filtered_and_deleted()
    {
        var webhook = await Api.Create("webhooks", new { url = Url, events = new[] { "deal.*", "contact.created" } });
        var path = $"/v1/webhooks/{webhook.Id}";
        (await Api.Patch(path, new { url = "http://elsewhere.example.com" })).IsInvalid("url");
        (await Api.Patch(path, """{"url":null}""")).IsInvalid("url");
        var reply = (await Api.Patch(path, new { is_enabled = false, events = new[] { "*" } }, ("If-Match", webhook.ETag))).Is(200);
        Assert.Equal(("""["*"]""", "false"), (reply.Json("events"), reply.Json("is_enabled")));
        Assert.Equal([webhook.Id], (await Api.Get("/v1/webhooks?is_enabled=false")).Ids);
        Assert.Empty((await Api.Get("/v1/webhooks?is_enabled=true")).List);
        (await Api.Delete(path, ("If-Match", webhook.ETag))).IsError(412, "PRECONDITION_FAILED");
        (await Api.Delete(path)).Is(204);
        (await Api.Get(path)).IsNotFound();
    }
}

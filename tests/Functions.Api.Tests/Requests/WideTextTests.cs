using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Requests;

/// <summary>Text as long as the contract allows, of characters that take the most room.</summary>
public sealed class WideTextTests(Server server) : ApiTests(server)
{
    private static readonly string Emoji = string.Concat(Enumerable.Repeat("😀", 100_000));

    [Fact]
    public async Task Emoji_are_answered_as_they_were_sent()
    {
        var contact = await Api.Create("contacts", new { first_name = "Ana 😀" });
        Assert.Contains("\"first_name\":\"Ana 😀\"", (await Api.Get($"/v1/contacts/{contact.Id}")).Raw, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_of_the_greatest_length_is_stored_changed_and_unlinked()
    {
        var contact = await Api.Create("contacts", new { });
        var emoji = $$"""{"type":"note","contact_id":"{{contact.Id}}","body":"{{Emoji}}"}""";
        var note = (await Api.Post("/v1/activities", emoji, ("Idempotency-Key", "wide"))).Is(201);
        (await Api.Patch($"/v1/activities/{note.Id}", new { body = "é" })).Is(200);
        (await Api.Post("/v1/activities", emoji)).Is(201);

        (await Api.Delete($"/v1/contacts/{contact.Id}")).Is(204);
        Assert.Null((await Api.Get($"/v1/activities/{note.Id}")).Text("contact_id"));
    }
}

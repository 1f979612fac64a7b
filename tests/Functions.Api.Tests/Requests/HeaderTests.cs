using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Requests;

public sealed class HeaderTests(Server server) : ApiTests(server)
{
    [Theory]
    [InlineData("Bearer")]
    [InlineData("bearer")]
    [InlineData("BEARER")]
    [InlineData("Bearer ")]
    public async Task The_scheme_is_bearer_whatever_its_case(string scheme) =>
        (await Server.Anonymous.Get("/v1/contacts", ("Authorization", $"{scheme} {Api.Key}"))).Is(200);

    [Theory]
    [InlineData("")]
    [InlineData("Basic dXNlcjpwYXNz")]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData("Bearer null")]
    public async Task Without_a_bearer_secret_it_is_refused(string header) =>
        (await Server.Anonymous.Get("/v1/contacts", ("Authorization", header))).IsError(401, "INVALID_API_KEY");

    [Fact]
    public async Task The_bare_secret_or_one_with_more_behind_it_is_refused()
    {
        foreach (var header in new[] { Api.Key, $"Bearer {Api.Key} x", $"Bearer {Api.Key},Bearer {Api.Key}", $"Token {Api.Key}", $"Bearer {Api.Key[..^1]}",
            $"Bearer {Api.Key}{new string('a', 8000)}" })
            (await Server.Anonymous.Get("/v1/contacts", ("Authorization", header))).IsError(401, "INVALID_API_KEY");
    }

    [Fact]
    public async Task Two_authorization_headers_are_refused()
    {
        var answer = await RawRequest.Send(
            Server.Address, $"GET /v1/contacts HTTP/1.1\nHost: x\nConnection: close\nAuthorization: Bearer {Api.Key}\nAuthorization: Bearer {Api.Key}\n\n");
        Assert.StartsWith("HTTP/1.1 401 ", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Headers_too_large_to_read_are_a_client_error() =>
        Assert.Matches("^HTTP/1.1 4\\d\\d ",
            await RawRequest.Send(
                Server.Address, $"GET /v1/contacts HTTP/1.1\nHost: x\nConnection: close\nAuthorization: Bearer {new string('a', 60_000)}\n\n"));

    [Theory]
    [InlineData("application/problem+json")]
    [InlineData("application/json, application/problem+json;q=0.9")]
    [InlineData("Application/Problem+JSON")]
    public async Task Problem_details_are_answered_to_who_asks_for_them(string accept)
    {
        var reply = (await Api.Post("/v1/contacts", """{"email":"x"}""", ("Accept", accept))).Is(400);
        Assert.Equal("application/problem+json", reply.Header("Content-Type"));
        Assert.Equal("VALIDATION_ERROR", reply.Body.GetProperty("code").GetString());
        Assert.Equal(400, reply.Body.GetProperty("status").GetInt32());
        Assert.Equal("Request validation failed", reply.Body.GetProperty("detail").GetString());
        Assert.Equal("email", reply.Body.GetProperty("errors")[0].GetProperty("field").GetString());
        Assert.Equal(reply.Header("X-Request-Id"), reply.Body.GetProperty("request_id").GetString());
        Assert.Equal("application/json; charset=utf-8", (await Api.Get("/v1/contacts", ("Accept", accept))).Is(200).Header("Content-Type"));
    }

    [Theory]
    [InlineData("*/*")]
    [InlineData("application/json")]
    [InlineData("text/html")]
    [InlineData("")]
    public async Task Others_get_the_envelope(string accept) =>
        Assert.Equal("application/json; charset=utf-8",
            (await Api.Post("/v1/contacts", """{"email":"x"}""", ("Accept", accept))).IsInvalid("email").Header("Content-Type"));

    [Theory]
    [InlineData("\"\"")]
    [InlineData("\"x\"")]
    [InlineData("W/\"1\"")]
    [InlineData("\"99999999999999999999\"")]
    [InlineData("\"-1\"")]
    public async Task An_if_match_of_a_tag_we_never_gave_matches_nothing(string header)
    {
        var contact = await Api.Create("contacts", new { });
        (await Api.Patch($"/v1/contacts/{contact.Id}", new { first_name = "x" }, ("If-Match", header))).IsError(412, "PRECONDITION_FAILED");
    }

    [Theory]
    [InlineData("1")]
    [InlineData("\"1\", \"2\"")]
    public async Task An_if_match_that_is_not_one_tag_is_invalid(string header)
    {
        var contact = await Api.Create("contacts", new { });
        (await Api.Patch($"/v1/contacts/{contact.Id}", new { first_name = "x" }, ("If-Match", header))).IsInvalid("If-Match");
    }

    [Theory]
    [InlineData("1")]
    [InlineData("\"x\"")]
    [InlineData("\"x")]
    [InlineData(",")]
    public async Task An_if_none_match_of_a_tag_we_never_gave_answers_the_record(string header)
    {
        var contact = await Api.Create("contacts", new { });
        (await Api.Get($"/v1/contacts/{contact.Id}", ("If-None-Match", header))).Is(200);
    }

    [Fact]
    public async Task A_request_id_of_the_client_is_not_taken_over() =>
        Assert.StartsWith("req_", (await Api.Get("/v1/contacts", ("X-Request-Id", "mine"))).Header("X-Request-Id"), StringComparison.Ordinal);
}

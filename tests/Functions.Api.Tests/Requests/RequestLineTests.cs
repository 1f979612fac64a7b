using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Requests;

public sealed class RequestLineTests(Server server) : ApiTests(server)
{
    [Theory]
    [InlineData("/")]
    [InlineData("/v1")]
    [InlineData("/v1/nothing")]
    [InlineData("/v2/contacts")]
    [InlineData("/v1//contacts")]
    [InlineData("/v1/contacts/ct_1/nothing")]
    [InlineData("/v1/contacts%2Fct_1")]
    [InlineData("/v1/%63ontacts/x/y")]
    [InlineData("/v1/contacts;x=1")]
    [InlineData("/ünïcödé/漢字")]
    [InlineData("/%FF%FE")]
    [InlineData("/.env")]
    [InlineData("/v1/contacts/%2e%2e/%2e%2e/%2e%2e/etc/passwd")]
    public async Task An_unknown_path_is_not_found(string path)
    {
        foreach (var method in new[] { "GET", "POST", "DELETE", "OPTIONS", "BREW" })
            (await Api.Send(new HttpMethod(method), path, null)).IsError(404, "NOT_FOUND");
    }

    [Theory]
    [InlineData("/v1/contacts/..%2F..%2Fetc")]
    [InlineData("/v1/contacts/ct_%2F")]
    [InlineData("/v1/contacts/%20")]
    [InlineData("/v1/contacts/'%20OR%201=1%20--")]
    [InlineData("/v1/contacts/ct_漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字")]
    [InlineData("/v1/contacts/ct_%F0%9F%98%80")]
    public async Task An_id_with_tricks_in_it_is_invalid(string path) => (await Api.Get(path)).IsInvalid("id");

    [Fact]
    public async Task A_very_long_id_is_invalid() => (await Api.Get("/v1/contacts/" + new string('a', 6000))).IsInvalid("id");

    [Theory]
    [InlineData("GET /v1/contacts%00 HTTP/1.1")]
    [InlineData("GET /v1/contacts/../../etc/passwd HTTP/1.1")]
    [InlineData("GET v1/contacts HTTP/1.1")]
    [InlineData("GET /v1/\u00ff HTTP/1.1")]
    [InlineData("GET /v1/contacts HTTP/9.9")]
    [InlineData("GET")]
    public async Task A_request_line_no_client_sends_is_a_client_error(string line)
    {
        var answer = await RawRequest.Send(Server.Address, $"{line}\nHost: x\nConnection: close\nAuthorization: Bearer {Api.Key}\n\n");
        Assert.Matches("^HTTP/1.1 (4\\d\\d|505) ", answer);
    }

    [Fact]
    public async Task A_path_too_long_to_read_is_a_client_error() =>
        Assert.Matches(
            "^HTTP/1.1 4\\d\\d ", await RawRequest.Send(Server.Address, $"GET /v1/{new string('a', 20_000)} HTTP/1.1\nHost: x\nConnection: close\n\n"));

    [Fact]
    public async Task Case_and_a_slash_at_the_end_do_not_matter()
    {
        (await Api.Get("/V1/Contacts")).Is(200);
        (await Api.Get("/v1/contacts/")).Is(200);
    }

    [Theory]
    [InlineData("HEAD")]
    [InlineData("OPTIONS")]
    [InlineData("TRACE")]
    [InlineData("PROPFIND")]
    public async Task A_method_a_path_does_not_take_is_answered_with_those_it_takes(string method)
    {
        var reply = (await Api.Send(new HttpMethod(method), "/v1/contacts", null)).Is(405);
        Assert.Equal("GET, POST", reply.Header("Allow"));
        Assert.NotNull(reply.Header("X-Request-Id"));
        if (method != "HEAD") reply.IsError(405, "METHOD_NOT_ALLOWED");
        else Assert.Empty(reply.Raw);
    }

    [Theory]
    [InlineData("/health")]
    [InlineData("/health/ready")]
    public async Task Health_is_told_without_a_body_where_that_is_all_that_is_asked(string path)
    {
        var reply = (await Server.Anonymous.Send(HttpMethod.Head, path, null)).Is(200);

        Assert.Empty(reply.Raw);
        Assert.Equal((await Server.Anonymous.Get(path)).Is(200).Header("Content-Type"), reply.Header("Content-Type"));
    }

    [Fact]
    public async Task Parameters_without_end_are_refused_quickly()
    {
        var many = string.Join('&', Enumerable.Range(0, 500).Select(i => $"x{i}=1"));
        Assert.Equal(100, (await Api.Get($"/v1/contacts?{many}")).IsError(400, "VALIDATION_ERROR").Fields.Count);
        (await Api.Get($"/v1/contacts?email={new string('%', 1)}41{new string('a', 6000)}")).Is(200);
        (await Api.Get($"/v1/contacts?{new string('a', 6000)}=1")).IsError(400, "VALIDATION_ERROR");
        (await Api.Get($"/v1/contacts?sort={string.Join(',', Enumerable.Range(0, 800).Select(i => $"custom_fields[f{i}]"))}"[..6000])).IsError(
            400, "VALIDATION_ERROR");
    }
}

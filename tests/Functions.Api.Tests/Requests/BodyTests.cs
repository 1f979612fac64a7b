using System.IO.Compression;
using System.Text;
using NodeStash.Core.Access;
using NodeStash.Core.Records;
using NodeStash.Core.Resources;
using NodeStash.Support.Running;

namespace NodeStash.Functions.Api.Tests.Requests;

public sealed class BodyTests(Server server) : ApiTests(server)
{
    private const int MaxBytes = 1024 * 1024;

    public static TheoryData<string, string> Unsound => new()
    {
        { "", "body" },
        { " \n ", "body" },
        { "{", "body" },
        { """{"first_name":"Ja""", "body" },
        { """{"first_name":"Jane"}}""", "body" },
        { """{"first_name":"Jane",}""", "body" },
        { """{'first_name':'Jane'}""", "body" },
        { """{"first_name":NaN}""", "body" },
        { """{"first_name":01}""", "body" },
        { """{/* */}""", "body" },
        { "{\"first_name\":\"a\u0001b\"}", "body" },
        { "\uFEFF\uFEFF{}", "body" },
        { "null", "body" },
        { "[]", "body" },
        { "\"text\"", "body" },
        { "5", "body" },
        { "true", "body" },
        { """{"first_name":"a","first_name":"b"}""", "first_name" },
        { """{"first_name":"a","first\u005fname":"b"}""", "first_name" },
        { """{"custom_fields":{"a":1,"a":2}}""", "custom_fields.a" },
        { """{"custom_fields":{"a":[{"b":1,"b":2}]}}""", "custom_fields.a[0].b" },
        { """{"first_name":"\ud800"}""", "first_name" },
        { """{"first_name":"\udc00\ud800"}""", "first_name" },
        { """{"custom_fields":{"a":"\ud83d"}}""", "custom_fields.a" },
        { """{"custom_fields":{"\ud83d":1}}""", "custom_fields" },
        { """{"\ud83d":1}""", "body" },
        { """{"first_name":"a\u0000b"}""", "first_name" },
        { """{"custom_fields":{"a":["\u0000"]}}""", "custom_fields.a[0]" },
        { """{"custom_fields":{"a\u0000":1}}""", "custom_fields" },
        { """{"custom_fields":{"a":1e999}}""", "custom_fields.a" },
        { """{"custom_fields":{"a":-1e999}}""", "custom_fields.a" },
        { """{"":1}""", "" },
    };

    [Theory]
    [MemberData(nameof(Unsound))]
    public async Task What_is_not_sound_json_is_refused_where_it_is(string body, string field)
    {
        var contact = await Api.Create("contacts", new { });
        foreach (var reply in new[] { await Api.Post("/v1/contacts", body), await Api.Patch($"/v1/contacts/{contact.Id}", body),
            await Api.Put($"/v1/contacts/{contact.Id}/custom-fields", body) })
            Assert.Contains(field, reply.IsError(400, "VALIDATION_ERROR").Fields);
        Assert.Single((await Api.Get("/v1/contacts")).List);
    }

    [Theory]
    [InlineData(new byte[] { 0xff, 0xfe })]
    [InlineData(new byte[] { 0xc0, 0x80 })]
    [InlineData(new byte[] { 0xed, 0xa0, 0x80 })]
    [InlineData(new byte[] { 0xf4, 0x90, 0x80, 0x80 })]
    [InlineData(new byte[] { 0xe2, 0x82 })]
    public async Task Invalid_utf_8_is_refused(byte[] text)
    {
        (await Api.Post("/v1/contacts", (byte[])[.. "{\"first_name\":\""u8, .. text, .. "\"}"u8])).IsError(400, "VALIDATION_ERROR");
        (await Api.Post("/v1/contacts", (byte[])[.. "{\""u8, .. text, .. "\":1}"u8])).IsError(400, "VALIDATION_ERROR");
        (await Api.Post("/v1/contacts", (byte[])[.. "{\"custom_fields\":{\"a\":{\""u8, .. text, .. "\":1}}}"u8])).IsError(400, "VALIDATION_ERROR");
        Assert.Empty((await Api.Get("/v1/contacts")).List);
    }

    [Fact]
    public async Task Bodies_are_32_levels_deep_at_most()
    {
        static string Nested(int levels) => $$$"""{"custom_fields":{"a":{{{new string('[', levels - 2)}}}{{{new string(']', levels - 2)}}}}}""";
        await Api.Create("contacts", Nested(32));
        Assert.Contains("32", (await Api.Post("/v1/contacts", Nested(33))).IsInvalid("body").FaultOf("body"), StringComparison.Ordinal);
        (await Api.Post("/v1/contacts", Nested(100_000))).IsInvalid("body");
        (await Api.Get("/v1/contacts")).Is(200);
    }

    [Theory]
    [InlineData("9007199254740993")]
    [InlineData("123456789012345678901234567890")]
    [InlineData("1e308")]
    [InlineData("-1.7976931348623157E308")]
    [InlineData("1e-999")]
    public async Task Numbers_that_a_double_reaches_are_kept_as_written(string number)
    {
        var contact = await Api.Create("contacts", $$$"""{"custom_fields":{"a":{{{number}}}}}""");
        Assert.Equal(number, (await Api.Get($"/v1/contacts/{contact.Id}"))["custom_fields"].GetProperty("a").GetRawText());
        Assert.Equal([contact.Id], (await Api.Get("/v1/contacts?sort=custom_fields[a]&custom_fields[a][exists]=true")).Ids);
    }

    [Theory]
    [InlineData("true", typeof(FlagField))]
    [InlineData("5.5", typeof(MoneyField))]
    [InlineData("""{"a":1}""", typeof(MapField))]
    [InlineData("[5]", null)]
    [InlineData("[[]]", null)]
    public async Task A_value_of_the_wrong_type_is_named_for_every_field_of_every_resource(string value, Type? fits)
    {
        foreach (var schema in Crm.Catalog.All)
        {
            var fields = schema.Fields.Where(f => f.Access is FieldAccess.ReadWrite or FieldAccess.CreateOnly).ToList();
            var body = "{" + string.Join(',', fields.Select(f => $"\"{f.Name}\":{value}")) + "}";
            var named = (await Api.Post($"/v1/{schema.Collection}", body)).IsError(400, "VALIDATION_ERROR").Fields;
            foreach (var field in fields.Where(f => f.GetType() != fits))
                Assert.Contains(named,
                    n => n == field.Name || n.StartsWith(field.Name + "[", StringComparison.Ordinal)
                        || n.StartsWith(field.Name + ".", StringComparison.Ordinal));
            Assert.All(named, n => Assert.Contains(fields, f => n.StartsWith(f.Name, StringComparison.Ordinal)));
        }

        Assert.Contains(Crm.Catalog.All, schema => schema == ApiKey.Schema);
    }

    [Fact]
    public async Task A_body_of_1_MiB_is_read_and_one_byte_more_is_too_large()
    {
        static string Padded(int bytes) => """{"first_name":"Jane"}""" + new string(' ', bytes - """{"first_name":"Jane"}""".Length);
        (await Api.Post("/v1/contacts", Padded(MaxBytes))).Is(201);
        (await Api.Post("/v1/contacts", Chunked(Padded(MaxBytes)))).Is(201);
        (await Api.Post("/v1/contacts", Padded(MaxBytes + 1))).IsError(413, "PAYLOAD_TOO_LARGE");
        (await Api.Post("/v1/contacts", Chunked(Padded(MaxBytes + 1)))).IsError(413, "PAYLOAD_TOO_LARGE");
        foreach (var bytes in new[] { MaxBytes * 3 / 2, MaxBytes * 3, MaxBytes * 10 })
        {
            // A client that sends its whole body before it reads still gets the answer, not a connection reset under it.
            (await Api.Post("/v1/contacts", Padded(bytes))).IsError(413, "PAYLOAD_TOO_LARGE");
            (await Api.Post("/v1/contacts", Chunked(Padded(bytes)))).IsError(413, "PAYLOAD_TOO_LARGE");
        }

        (await Api.Post("/v1/contacts", Padded(MaxBytes + 1), ("Idempotency-Key", "large"))).IsError(413, "PAYLOAD_TOO_LARGE");
        (await Api.Get("/v1/contacts")).Is(200);
    }

    [Fact]
    public async Task A_body_far_too_large_is_refused_unread()
    {
        var head = await RawRequest.Send(Server.Address,
            $"POST /v1/contacts HTTP/1.1\nHost: x\nConnection: close\nAuthorization: Bearer {Api.Key}\nContent-Type: application/json\n"
                + $"Content-Length: 99999999999\n\n{{");
        Assert.StartsWith("HTTP/1.1 413 ", head, StringComparison.Ordinal);
        Assert.Contains("PAYLOAD_TOO_LARGE", head, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data; boundary=x")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("json")]
    [InlineData("")]
    public async Task What_is_not_said_to_be_json_is_an_unsupported_media_type(string contentType) =>
        (await Api.Post("/v1/contacts", "{}", ("Content-Type", contentType))).IsError(415, "UNSUPPORTED_MEDIA_TYPE");

    [Theory]
    [InlineData("application/json")]
    [InlineData("Application/JSON; Charset=UTF-8")]
    [InlineData("application/merge-patch+json")]
    public async Task What_is_said_to_be_json_is_read(string contentType) => (await Api.Post("/v1/contacts", "{}", ("Content-Type", contentType))).Is(201);

    [Fact]
    public async Task A_compressed_body_is_an_unsupported_media_type()
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write("{}"u8);
        (await Api.Post("/v1/contacts", packed.ToArray(), ("Content-Encoding", "gzip"))).IsError(415, "UNSUPPORTED_MEDIA_TYPE");
    }

    [Fact]
    public async Task A_body_cut_off_changes_nothing()
    {
        await RawRequest.Send(Server.Address,
            $"POST /v1/contacts HTTP/1.1\nHost: x\nConnection: close\nAuthorization: Bearer {Api.Key}\nContent-Type: application/json\n"
                + $"Content-Length: 100\n\n{{}}", isCut: true);
        Assert.Empty((await Api.Get("/v1/contacts")).List);
    }

    [Fact]
    public async Task At_most_100_faults_are_listed() =>
        Assert.Equal(100,
            (await Api.Post("/v1/contacts", "{" + string.Join(',', Enumerable.Range(0, 5000).Select(i => $"\"x{i}\":1")) + "}")).IsError(
                400, "VALIDATION_ERROR").Fields.Count);

    private static StreamContent Chunked(string text)
    {
        var content = new StreamContent(new Unseekable(Encoding.UTF8.GetBytes(text)));
        content.Headers.ContentType = new("application/json");
        return content;
    }

    /// <summary>A stream that does not know its length, so that it is sent in chunks.</summary>
    private sealed class Unseekable(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}

using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using NodeStash.Core.Values;

namespace NodeStash.Bench;

/// <summary>
/// What these machines can do at most: Kestrel and SQLite and nothing in between. It takes the product's requests and gives its answers,
/// out of a table with the same indexes, with nothing checked, nobody asked who they are, no log, no event.
/// </summary>
internal static class Limit
{
    private static readonly Ids NewIds = new(TimeProvider.System);

    public static async Task Run(int port, string data)
    {
        using var table = new LimitTable(Path.Combine(data, "limit.db"));
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"))
            .ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        builder.Logging.ClearProviders();
        await using var app = builder.Build();
        app.Run(http => Answer(http, table));
        await app.RunAsync();
    }

    private static async Task Answer(HttpContext http, LimitTable table)
    {
        var request = http.Request;
        var id = request.Path.Value is { Length: > 13 } path ? path[13..] : null;
        if (HttpMethods.IsPost(request.Method))
        {
            var attributes = Complete(await Body(request), out var created);
            await table.Insert(created, attributes);
            await Send(http, 201, writer => One(writer, created.Id, attributes));
        }
        else if (HttpMethods.IsPatch(request.Method))
        {
            var (title, now) = (await Body(request), Now());
            var attributes = Patched(table.Find(id!)!, title, now);
            await table.Update(id!, attributes, now);
            await Send(http, 200, writer => One(writer, id!, attributes));
        }
        else if (id is not null)
        {
            var attributes = table.Find(id)!;
            await Send(http, 200, writer => One(writer, id, attributes));
        }
        else
        {
            var query = request.Query;
            var (limit, cursor) = (int.Parse(query["limit"].ToString(), CultureInfo.InvariantCulture), query["cursor"].ToString());
            var rows = query["company_id"].ToString() is { Length: > 0 } company ? table.OfCompany(company, limit + 1) : table.Page(Place(cursor), limit + 1);
            await Send(http, 200, writer => Page(writer, rows, limit));
        }
    }

    private static async ValueTask<JsonElement> Body(HttpRequest request)
    {
        var body = await request.BodyReader.ReadAtLeastAsync((int)request.ContentLength!);
        var json = JsonElement.Parse(body.Buffer.ToArray());
        request.BodyReader.AdvanceTo(body.Buffer.End);
        return json;
    }

    private static async Task Send(HttpContext http, int status, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true })) write(writer);
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json; charset=utf-8";
        http.Response.ContentLength = buffer.WrittenCount;
        await http.Response.BodyWriter.WriteAsync(buffer.WrittenMemory);
    }

    private static void One(Utf8JsonWriter writer, string id, byte[] attributes)
    {
        writer.WriteStartObject();
        writer.WritePropertyName("data"u8);
        Resource(writer, id, attributes);
        writer.WriteStartObject("meta"u8);
        writer.WriteString("request_id"u8, NewIds.New("req_"));
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void Page(Utf8JsonWriter writer, List<(string Id, string CreatedAt, byte[] Attributes)> rows, int limit)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("data"u8);
        foreach (var (id, _, attributes) in rows.Take(limit)) Resource(writer, id, attributes);
        writer.WriteEndArray();
        writer.WriteStartObject("meta"u8);
        writer.WriteString("request_id"u8, NewIds.New("req_"));
        writer.WriteStartObject("pagination"u8);
        writer.WriteString("next_cursor"u8,
            rows.Count > limit ? Base64Url.EncodeToString(Encoding.ASCII.GetBytes($"{rows[limit - 1].CreatedAt} {rows[limit - 1].Id}")) : null);
        writer.WriteBoolean("has_more"u8, rows.Count > limit);
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void Resource(Utf8JsonWriter writer, string id, byte[] attributes)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, id);
        writer.WriteString("type"u8, "contact"u8);
        writer.WritePropertyName("attributes"u8);
        writer.WriteRawValue(attributes, skipInputValidation: true);
        writer.WriteEndObject();
    }

    private static (string CreatedAt, string Id)? Place(string cursor) =>
        cursor.Length == 0 ? null : Encoding.ASCII.GetString(Base64Url.DecodeFromChars(cursor)).Split(' ') is [var createdAt, var id] ? (createdAt, id) : null;

    /// <summary>A new contact's attributes, all of them, as the product has them.</summary>
    private static byte[] Complete(JsonElement given, out LimitRow row)
    {
        var (id, now) = (NewIds.New("ct_"), Now());
        row = new LimitRow(id, given.GetProperty("email"u8).GetString()!, given.GetProperty("first_name"u8).GetString()!,
            given.GetProperty("last_name"u8).GetString()!, given.GetProperty("company_id"u8).GetString()!, now, now);
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true }))
        {
            writer.WriteStartObject();
            writer.WriteString("id"u8, id);
            foreach (var property in given.EnumerateObject()) property.WriteTo(writer);
            writer.WriteStartObject("custom_fields"u8);
            writer.WriteEndObject();
            writer.WriteStartArray("tags"u8);
            writer.WriteEndArray();
            writer.WriteString("created_at"u8, now);
            writer.WriteString("updated_at"u8, now);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static byte[] Patched(byte[] attributes, JsonElement given, string now)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { SkipValidation = true }))
        {
            writer.WriteStartObject();
            foreach (var property in JsonElement.Parse(attributes).EnumerateObject())
            {
                if (property.NameEquals("updated_at"u8)) writer.WriteString("updated_at"u8, now);
                else if (given.TryGetProperty(property.Name, out var changed))
                {
                    writer.WritePropertyName(property.Name);
                    changed.WriteTo(writer);
                }
                else property.WriteTo(writer);
            }

            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static string Now() => TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}

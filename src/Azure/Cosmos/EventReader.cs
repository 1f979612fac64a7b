using System.Globalization;
using System.Text.Json;
using NodeStash.Core.Storage;

namespace NodeStash.Azure.Cosmos;

/// <summary>
/// Reads the event log, ordered by the second in which the service stored an event, then by record version, then by id. A read that reaches the current
/// second waits until it is over. So a reader sees its own events, and misses none that is stored later in that second.
/// </summary>
internal sealed class EventReader(PartitionClient client, TimeProvider clock, EventQuery query)
{
    /// <summary>Time after its end at which a second counts as over: the maximum difference between the clocks of the service and this process.</summary>
    private static readonly TimeSpan ClockMargin = TimeSpan.FromMilliseconds(500);

    /// <summary>Reads one page.</summary>
    /// <param name="lastExpiredSecond">The last second whose events have expired.</param>
    /// <param name="ct">Ends the wait.</param>
    public async ValueTask<EventPage> Read(long lastExpiredSecond, CancellationToken ct)
    {
        var rows = await ReadRows(lastExpiredSecond, null, ct);
        var hasMore = rows.Count > query.Limit;
        if (rows.Take(query.Limit).LastOrDefault() is { ValueKind: JsonValueKind.Object } last)
        {
            var over = DateTimeOffset.FromUnixTimeSeconds(Second(last) + 1) + ClockMargin;
            if (over - clock.GetUtcNow() is var wait && wait > TimeSpan.Zero)
            {
                await Task.Delay(wait, clock, ct);
                rows = await ReadRows(lastExpiredSecond, Second(last), ct);
                hasMore |= rows.Count > query.Limit;
            }
        }

        var page = rows.Take(query.Limit).ToList();
        return new EventPage([.. page.Select(EventDocument.Read)], page is [.., var end] ? WritePosition(end) : query.After, hasMore);
    }

    /// <summary>Reads the page, and one more event if there is one.</summary>
    /// <param name="lastExpiredSecond">See <see cref="Read"/>.</param>
    /// <param name="until">The last second to read; null for no end.</param>
    /// <param name="ct">Ends the wait.</param>
    private ValueTask<IReadOnlyList<JsonElement>> ReadRows(long lastExpiredSecond, long? until, CancellationToken ct)
    {
        var sql = new SqlBuilder(EventDocument.Columns);
        sql.And($"c.kind = {sql.Bind(EventDocument.Kind)}").And($"c.at > {sql.Bind(Math.Max(lastExpiredSecond, (query.From?.ToUnixTimeSeconds() ?? 0) - 1))}");
        if (query.RecordId is { } record) sql.And($"c.record_id = {sql.Bind(record)}");
        if (query.Name is { } name) sql.And($"c.name = {sql.Bind(name)}");
        if (until is { } end) sql.And($"c._ts <= {sql.Bind(end)}");
        if (ReadPosition(query.After) is var (second, version, id))
        {
            var (ts, v) = (sql.Bind(second), sql.Bind(version));
            sql.And($"c._ts >= {ts}").And($"(c._ts > {ts} OR c.record_version > {v} OR (c.record_version = {v} AND c.id > {sql.Bind(id)}))");
        }

        return client.All(sql.Query(" ORDER BY c.kind ASC, c._ts ASC, c.record_version ASC, c.id ASC"), query.Limit + 1, ct);
    }

    private static long Second(JsonElement row) => row.GetProperty("_ts").GetInt64();

    private static string WritePosition(JsonElement row) => string.Create(
        CultureInfo.InvariantCulture, $"{Second(row)}.{row.GetProperty("record_version").GetInt64()}.{row.GetProperty("id").GetString()}");

    private static (long Second, long Version, string Id)? ReadPosition(string? position) =>
        position?.Split('.', 3) is [var second, var version, var id]
        && long.TryParse(second, NumberStyles.None, CultureInfo.InvariantCulture, out var ts)
        && long.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var v)
            ? (ts, v, id)
            : null;
}

using Microsoft.DurableTask;

namespace NodeStash.LocalHost.Durable;

internal static class Payloads
{
    /// <summary>Reads an input, an output or an event that may be missing.</summary>
    /// <param name="converter">Its own <c>Deserialize&lt;T&gt;</c> throws a NullReferenceException where nothing was sent and
    /// <typeparamref name="T"/> is a value type.</param>
    /// <param name="payload">As <see cref="DataConverter.Serialize"/> wrote it; null: nothing was sent.</param>
    /// <returns><c>default(T)</c> where nothing was sent.</returns>
    public static T? Read<T>(this DataConverter converter, string? payload) => payload is null ? default : converter.Deserialize<T>(payload);
}

using Microsoft.DurableTask;

namespace NodeStash.LocalHost.Durable;

/// <summary>Deserializes payloads.</summary>
internal static class Payloads
{
    /// <summary>Reads an input, an output or an event that may be missing.</summary>
    /// <param name="converter">Deserializes. Its own <c>Deserialize&lt;T&gt;</c> throws a NullReferenceException for null if
    /// <typeparamref name="T"/> is a value type.</param>
    /// <param name="payload">Text from <see cref="DataConverter.Serialize"/>; null for none.</param>
    /// <returns>The value; <c>default(T)</c> for none.</returns>
    public static T? Read<T>(this DataConverter converter, string? payload) => payload is null ? default : converter.Deserialize<T>(payload);
}

namespace NodeStash.Functions.Api.Http;

/// <summary>Marks a function that needs no credential. Every other function needs a scope; a test holds them to it.</summary>
/// <param name="why">Why anyone may call it.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PublicAttribute(string why) : Attribute
{
    public string Why { get; } = why;
}

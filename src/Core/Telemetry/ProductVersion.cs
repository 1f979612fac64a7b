using System.Reflection;

namespace NodeStash.Core.Telemetry;

/// <summary>The version of the product, which the build takes from the git tag: that of the package, then <c>+</c> and the commit where it is known.</summary>
public static class ProductVersion
{
    public static string Text { get; } = typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
}
